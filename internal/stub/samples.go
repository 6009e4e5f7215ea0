package stub

// Ids of the sample servers that modules and examples name.
const (
	SampleWeb1       = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
	SampleWeb2       = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02"
	SampleDB1        = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b03"
	SampleBatch1     = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b04"
	SampleFull1      = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b05"
	SampleBroken1    = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b06"
	SampleMetal1     = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b07"
	SampleDFW1       = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b08"
	SampleLicensed1  = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b09"
	SampleUnhealthy1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b0a"
)

// sampleHost is the host of the first four sample servers.
const sampleHost = "3b1f0a8c5d7e9246c0d2e4f6a8b0c2d4e6f8091a2b3c4d5e6f708192"

// Samples are the servers that the command rackspace-stub serves: one for each way that
// a migration can end. The first four are on one host, which has no other server of the
// account. Each has a loopback address of its own. The command changes these addresses
// when another stub on the machine uses them already.
func Samples() []Server {
	return []Server{
		{ID: SampleWeb1, Name: "web-1", Region: "ORD", HostID: sampleHost, AccessIPv4: "127.42.0.11", Metadata: map[string]string{"role": "web"}},
		{ID: SampleWeb2, Name: "web-2", Region: "ORD", HostID: sampleHost, AccessIPv4: "127.42.0.12", Metadata: map[string]string{"role": "web"}},
		{ID: SampleDB1, Name: "db-1", Region: "ORD", HostID: sampleHost, AccessIPv4: "127.42.0.21", Metadata: map[string]string{"role": "db"}},
		{ID: SampleBatch1, Name: "batch-1", Region: "ORD", HostID: sampleHost, Status: statusShutoff, AccessIPv4: "127.42.0.31"},
		{ID: SampleFull1, Name: "full-1", Region: "ORD", Outcome: OutcomeNoValidHost, AccessIPv4: "127.42.0.41"},
		{ID: SampleBroken1, Name: "broken-1", Region: "ORD", Outcome: OutcomeFails, AccessIPv4: "127.42.0.42"},
		{ID: SampleMetal1, Name: "metal-1", Region: "ORD", FlavorID: "onmetal-general2-small", AccessIPv4: "127.42.0.51"},
		{ID: SampleLicensed1, Name: "licensed-1", Region: "ORD", AccessIPv4: "127.42.0.71", Health: HealthyOnOriginalHost(Wrong)},
		{ID: SampleUnhealthy1, Name: "unhealthy-1", Region: "ORD", AccessIPv4: "127.42.0.72", Health: func(Visit) Health { return Wrong }},
		{ID: SampleDFW1, Name: "web-3", Region: "DFW", AccessIPv4: "127.42.0.61", Metadata: map[string]string{"role": "web"}},
	}
}
