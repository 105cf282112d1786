#!/usr/bin/env bash
# run: a broker to play with. Everything it writes is under BUILD/run/; it
# listens on the first free port from 8080 on, and Ctrl-C ends it.
#
#	packaging/run.sh BUILD
set -eu
build=$1
state=$build/run
mkdir -p "$state/state"

taken() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

port=8080
while taken "$port"; do
	port=$((port + 1))
done

cat >"$state/ssemuxd.conf" <<CONF
# Written by make run, each time anew.
[broker]
state_dir = $state/state
user =

[publish]
socket = $state/pub.sock
group =
max_event = 256k

[http]
listen = 127.0.0.1:$port
dashboard = on
CONF

rm -f "$state/ready"
mkfifo "$state/ready"
"$build/ssemuxd" -c "$state/ssemuxd.conf" -o broker.ready_fd=3 \
	3>"$state/ready" &
broker=$!
# Ctrl-C reaches the broker by itself; a second signal would end it by force.
trap ':' INT
trap 'kill -TERM "$broker" 2>/dev/null || true' TERM

# One line when it is ready; the end of the file when it could not start.
if read -r <"$state/ready"; then
	cat <<TEXT

The broker runs. Three commands to try, each in another terminal:

  curl -N 'http://127.0.0.1:$port/stream?channels=*'
  $build/ssemux-pub -s $state/pub.sock -t greeting hello:world 'It works.'
  $build/ssemux-pub -s $state/pub.sock -f README.md files:readme

Or look at http://127.0.0.1:$port/ in a browser. Ctrl-C here ends it.

TEXT
fi
rm -f "$state/ready"

# A signal ends the wait, not the broker: wait again for its real end.
status=0
wait "$broker" || status=$?
while kill -0 "$broker" 2>/dev/null; do
	status=0
	wait "$broker" || status=$?
done
exit "$status"
