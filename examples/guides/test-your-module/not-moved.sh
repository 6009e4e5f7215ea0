#!/bin/sh
# unhealthy-1 does not pass its verification, so it must not be moved. The apply has to fail, and terraform test expects no
# errors of a provider. So this script looks at the end of the apply and at the requests.
set -eu
if rackspace-stub -servers servers.json -log requests.jsonl -- \
  terraform apply -input=false -auto-approve -var server=unhealthy-1 -var preflight_timeout=2s; then
  echo "The apply should have failed."
  exit 1
fi
grep -q '"call":"server"' requests.jsonl || { echo "The provider should have read the server."; exit 1; }
if grep '"call":"migrate"' requests.jsonl; then
  echo "unhealthy-1 should not have been asked to migrate."
  exit 1
fi
