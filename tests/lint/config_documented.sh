#!/bin/sh
# Every row of config.def stands in ssemuxd.conf(5), under its section and with
# its default, and the page names no setting that does not exist.
set -eu
cd "$(dirname "$0")/../.."
rows=broker/shared/config.def
page=man/ssemuxd.conf.5

# "section key = default" of each SETTING(section, key, TYPE, "default", ...
in_code() {
    awk '
        /^SETTING\(/ { row = ""; open = 1 }
        open { row = row $0 }
        open && /\)$/ {
            open = 0
            sub(/^SETTING\([ \t]*/, "", row)
            split(row, part, /[ \t]*,[ \t]*/)
            match(row, /"[^"]*"/)
            print part[1], part[2], "=", \
                substr(row, RSTART + 1, RLENGTH - 2)
        }' "$rows"
}

# The same of each ".It Ic key = default" below a ".Ss Section section".
in_page() {
    awk '
        /^\.S[hs] / { section = "" }
        /^\.Ss Section / { section = $3 }
        /^\.It Ic / && section != "" {
            sub(/^\.It Ic /, "")
            print section, $0
        }' "$page"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
in_code | sed 's/ *$//' | sort >"$work/code"
in_page | sed 's/ *$//' | sort >"$work/page"
comm -23 "$work/code" "$work/page" |
    sed "s|^|$page: missing, or with another default: |" >"$work/faults"
comm -13 "$work/code" "$work/page" |
    sed "s|^|$page: not in $rows, or with another default: |" >>"$work/faults"
uniq -d "$work/page" | sed "s|^|$page: twice: |" >>"$work/faults"
if ! [ -s "$work/code" ]; then
    echo "$rows: no settings were found" >>"$work/faults"
fi
cat "$work/faults"
[ ! -s "$work/faults" ]
