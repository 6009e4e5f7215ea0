package stub

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"
)

// healthInterval is how often it is checked whether a port has to be opened or closed.
const healthInterval = 10 * time.Millisecond

// Ports are the ports of servers, open on loopback addresses.
type Ports struct {
	stub    *Stub
	done    chan struct{}
	running sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	open  map[portOf]int // the port numbers that are listened on
}

// portOf names a port of a server: PortHTTP or PortSSH.
type portOf struct {
	server string
	port   int
}

// Listen opens the ports of all servers that have a loopback address as their
// IPv4 access address. Their numbers are PortHTTP and PortSSH or, when anyPort is set,
// any free ones. Until Close, each port behaves as the health of its server says.
func (s *Stub) Listen(anyPort bool) (*Ports, error) {
	p := &Ports{stub: s, done: make(chan struct{}), conns: map[net.Conn]bool{}, open: map[portOf]int{}}
	for _, id := range s.ids() {
		server, _ := s.Server(id)
		if ip := net.ParseIP(server.AccessIPv4); ip == nil || !ip.IsLoopback() {
			continue
		}
		for _, port := range []int{PortHTTP, PortSSH} {
			number := port
			if anyPort {
				number = 0
			}
			listener, err := net.Listen("tcp", net.JoinHostPort(server.AccessIPv4, strconv.Itoa(number)))
			if err != nil {
				p.Close()
				return nil, fmt.Errorf("cannot open the ports of %s: %w", server.Name, err)
			}
			p.open[portOf{id, port}] = listener.Addr().(*net.TCPAddr).Port
			p.running.Go(func() { p.accept(listener, id, port) })
			p.running.Go(func() { p.follow(id, port, listener) })
		}
	}
	return p, nil
}

func (s *Stub) ids() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.order...)
}

// Number is the port number that is listened on for a server's port, which is PortHTTP
// or PortSSH. The two differ when Listen was called with anyPort.
func (p *Ports) Number(server string, port int) int { return p.open[portOf{server, port}] }

// Close closes all ports and connections, and waits until all goroutines have ended.
func (p *Ports) Close() {
	close(p.done)
	p.mu.Lock()
	for conn := range p.conns {
		_ = conn.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

// follow opens and closes a port as the health of its server changes.
func (p *Ports) follow(id string, port int, listener net.Listener) {
	address := listener.Addr().String()
	tick := time.NewTicker(healthInterval)
	defer tick.Stop()
	for {
		switch closed := p.stub.health(id, false) == Closed; {
		case closed && listener != nil:
			_ = listener.Close()
			listener = nil
		case !closed && listener == nil:
			listener, _ = net.Listen("tcp", address) // if another program has it, the next try may succeed
			if opened := listener; opened != nil {
				p.running.Go(func() { p.accept(opened, id, port) })
			}
		}
		select {
		case <-tick.C:
		case <-p.done:
			if listener != nil {
				_ = listener.Close()
			}
			return
		}
	}
}

// accept answers the connections to a port until its listener is closed.
func (p *Ports) accept(listener net.Listener, id string, port int) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		p.running.Go(func() {
			if p.add(conn) {
				answerPort(conn, port, p.stub.health(id, true))
			}
			p.remove(conn)
		})
	}
}

// add registers a connection, so that Close closes it. It returns false when Close has
// been called.
func (p *Ports) add(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		return false
	default:
		p.conns[conn] = true
		return true
	}
}

// remove closes a connection.
func (p *Ports) remove(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
	_ = conn.Close()
}
