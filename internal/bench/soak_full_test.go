//go:build soak

package bench

func init() { soakSeeds, soakServers = 100, 500 }
