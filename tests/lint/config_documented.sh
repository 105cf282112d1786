#!/bin/sh
# Every row of config.def stands in ssemuxd.conf(5), under its section and with
# its default, and so does every key of a block; and the page names none that
# does not exist.
set -eu
cd "$(dirname "$0")/../.."
rows=broker/shared/config
page=man/ssemuxd.conf.5

# "section key = default" of each SETTING(section, key, TYPE, "default", ... or,
# when a section is given, of each SETTING("key", member, TYPE, "default", ...
in_code() {
    awk -v section="${2:-}" '
        /^SETTING\(/ { row = ""; open = 1 }
        open { row = row $0 }
        open && /\)$/ {
            open = 0
            sub(/^SETTING\([ \t]*/, "", row)
            split(row, part, /[ \t]*,[ \t]*/)
            if (section != "")
                sub(/^"[^"]*"/, "", row)
            gsub(/"/, "", part[1])
            match(row, /"[^"]*"/)
            print section != "" ? section : part[1], \
                section != "" ? part[1] : part[2], "=", \
                substr(row, RSTART + 1, RLENGTH - 2)
        }' "$1"
}

# The same of each ".It Ic key = default" below a ".Ss Section section" or
# ".Ss Block section".
in_page() {
    awk '
        /^\.S[hs] / { section = "" }
        /^\.Ss (Section|Block) / { section = $3 }
        /^\.It Ic / && section != "" {
            sub(/^\.It Ic /, "")
            print section, $0
        }' "$page"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
in_code "$rows.def" >"$work/all"
for block in stream publisher channel; do
    in_code "${rows}_$block.def" "$block" >>"$work/all"
done
sed 's/ *$//' "$work/all" | sort >"$work/code"
in_page | sed 's/ *$//' | sort >"$work/page"
comm -23 "$work/code" "$work/page" |
    sed "s|^|$page: missing, or with another default: |" >"$work/faults"
comm -13 "$work/code" "$work/page" |
    sed "s|^|$page: not in $rows*.def, or with another default: |" \
        >>"$work/faults"
uniq -d "$work/page" | sed "s|^|$page: twice: |" >>"$work/faults"
for file in "$rows".def "$rows"_*.def; do
    grep -q '^SETTING(' "$file" ||
        echo "$file: no settings were found" >>"$work/faults"
done
cat "$work/faults"
[ ! -s "$work/faults" ]
