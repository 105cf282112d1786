#!/usr/bin/env bash
# The house rules that take a second: run by make check and make lint.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=0
for rule in arrows smells length tracked manuals library problems; do
	if ! python3 "tests/lint/$rule.py"; then
		echo "lint: $rule failed: $(sed -n '2s/"""//gp' "tests/lint/$rule.py")"
		failed=1
	fi
done
for rule in config_documented refusals_documented; do
	if ! "tests/lint/$rule.sh"; then
		echo "lint: $rule failed: see the lines above"
		failed=1
	fi
done
exit "$failed"
