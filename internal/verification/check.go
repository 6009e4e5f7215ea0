package verification

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
)

// maxBanner is how many bytes are searched for an SSH banner. A server may send other lines
// before it (RFC 4253, 4.2).
const maxBanner = 8 << 10

// dial makes a connection for one attempt of a check.
func (p Plan) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, _, err := net.SplitHostPort(address); err == nil && host == "" {
		return nil, errNoAddress
	}
	if p.Dial != nil {
		return p.Dial(ctx, network, address)
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, address)
}

// connect is the tcp check: it passes when the address accepts a connection.
func (p Plan) connect(ctx context.Context, address string) error {
	conn, err := p.dial(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// readBanner is the ssh_banner check: it passes when the address sends an SSH banner.
func (p Plan) readBanner(ctx context.Context, address string) error {
	conn, err := p.dial(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it was only read from
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	lines := bufio.NewScanner(io.LimitReader(conn, maxBanner))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "SSH-") {
			return nil
		}
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case lines.Err() != nil && lines.Err() != bufio.ErrTooLong: //nolint:errorlint // the scanner returns it as it is
		return lines.Err()
	default:
		return unexpected("it does not answer with an SSH banner")
	}
}
