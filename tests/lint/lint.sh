#!/usr/bin/env bash
# Everything that reads the sources: the house rules, the format of C, static
# analysis of C and of scripts in shell and Python. Prints what to change, and
# goes on.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=0
report() {
	echo "lint: $1"
	failed=1
}

tests/lint/quick.sh || failed=1

mapfile -t sources < <(git ls-files -co --exclude-standard '*.c' '*.h')
mapfile -t scripts < <(git ls-files -co --exclude-standard '*.sh' .ci/run)
mapfile -t programs < <(git ls-files -co --exclude-standard '*.py')

clang-format --dry-run -Werror "${sources[@]}" ||
	report "format: run clang-format -i on the files above"

shellcheck "${scripts[@]}" ||
	report "shellcheck: see above"

pyflakes3 "${programs[@]}" ||
	report "pyflakes3: see above"

# Only what is a fault: no style. Unknown headers of libraries are skipped.
cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j "$(nproc)" \
	--enable=warning,performance,portability --max-configs=2 \
	--suppress=missingIncludeSystem --suppress=unknownMacro \
	-D_GNU_SOURCE -DSSEMUX_VERSION='"0"' -I . -I libpub/include \
	broker libpub protocol publisher-cli ||
	report "cppcheck: see above"

[[ $failed -eq 0 ]] && echo "lint: nothing to change"
exit "$failed"
