#!/bin/sh
# Every code of refusal.def is an item (".It Cm code") of ssemux-protocol(7), in
# a section whose title says REFUSALS or ERRORS, and every item there is a code.
set -eu
cd "$(dirname "$0")/../.."
rows=protocol/refusal.def
page=man/ssemux-protocol.7

in_code() {
    awk '
        /^REFUSAL\(/ { row = ""; open = 1 }
        open { row = row $0 }
        open && /\)$/ {
            open = 0
            match(row, /"[^"]*"/)
            print substr(row, RSTART + 1, RLENGTH - 2)
        }' "$rows"
}

in_page() {
    awk '
        /^\.Sh / { inside = toupper($0) ~ /REFUS|ERROR/ }
        /^\.Ss / && !inside { below = toupper($0) ~ /REFUS|ERROR/ }
        /^\.Sh / { below = 0 }
        (inside || below) && /^\.It (Cm|Ic|Li|Ql|Va|Dv|Er) / { print $3 }
    ' "$page"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! [ -f "$page" ]; then
    echo "$page: missing"
    exit 1
fi
in_code | sort >"$work/code"
in_page | sort >"$work/page"
comm -23 "$work/code" "$work/page" |
    sed "s|^|$page: this code is missing: |" >"$work/faults"
comm -13 "$work/code" "$work/page" |
    sed "s|^|$page: this code is not in $rows: |" >>"$work/faults"
uniq -d "$work/page" | sed "s|^|$page: twice: |" >>"$work/faults"
if ! [ -s "$work/code" ]; then
    echo "$rows: no codes were found" >>"$work/faults"
fi
cat "$work/faults"
[ ! -s "$work/faults" ]
