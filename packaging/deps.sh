#!/usr/bin/env bash
# deps: finds what is missing of Debian's or Ubuntu's packages, says what for,
# and installs it with apt-get, as root or through sudo. Where it may not, it
# says which command would, and exits 1.
#
#	packaging/deps.sh SET...	SET: build, check, client, lint, bench or peers
#
# To add a package: one row below. The probe says when it is there already, by
# whatever way: `tool NAME` in PATH, `header PATH` for the compiler, `lib NAME`
# for pkg-config, `amd64 NAME` the same where the processor is of that kind,
# `python MODULE` for python3, `rt` the runtime of clang's sanitizers.
set -u

rows() {
	cat <<'ROWS'
build  gcc             tool gcc            compiles it
build  libc6-dev       header stdio.h      headers of the C library
build  make            tool make           runs the build
build  pkg-config      tool pkg-config     finds the libraries
build  libev-dev       header ev.h         event loop of hub and workers
build  libmsgpack-dev  lib msgpack-c,msgpack  messages of the publisher socket
build  libsqlite3-dev  lib sqlite3         the store of events
build  libseccomp-dev  lib libseccomp      confines hub and workers
build  libjansson-dev  lib jansson         JSON of tokens, keys and command line tools
build  libssl-dev      lib libcrypto       signatures of tokens
build  zlib1g-dev      lib zlib            compresses streams with gzip
build  libisal-dev     amd64 libisal       compresses them in less time
build  libzstd-dev     lib libzstd         compresses streams with zstd
build  uthash-dev      header uthash.h     hash tables
check  check           lib check           unit tests
check  python3         tool python3        scenario tests
check  python3-cryptography python cryptography  scenario tests: signs tokens
check  clang           tool clang          fuzz tests
check  libclang-rt-dev rt                  fuzz tests: runtime of the sanitizers
check  mandoc          tool mandoc         reads the manual pages
check  universal-ctags tool ctags          measures functions
check  curl            tool curl           reads compressed streams
check  chromium        tool chromium       the browser
client nodejs          tool node           runs the JavaScript client and the systems in examples/
client npm             tool npm            installs what these need
client python3         tool python3        counts its tests
lint   clang-format    tool clang-format   formatting of C
lint   cppcheck        tool cppcheck       static analysis of C
lint   shellcheck      tool shellcheck     static analysis of scripts
lint   pyflakes3       tool pyflakes3      static analysis of Python
lint   git             tool git            lists the files
lint   mandoc          tool mandoc         reads the manual pages
lint   python3         tool python3        runs the house rules
lint   universal-ctags tool ctags          measures functions
bench  python3         tool python3        runs the measurements
peers  nginx           tool nginx          the server of Nchan; Debian starts it as a service, too
peers  libnginx-mod-nchan  file /usr/lib/nginx/modules/ngx_nchan_module.so  Nchan, measured beside ssemux
peers  nodejs          tool node           a server of a few lines, measured beside ssemux
peers  redis-server    tool redis-server   Redis, measured beside publishing; Debian starts it as a service, too
peers  redis-tools     tool redis-benchmark  its load generator
ROWS
}

# Is it there? $1: the kind of probe, $2: its argument.
present() {
	case $1 in
	tool) command -v "$2" >/dev/null || [[ -x /usr/sbin/$2 ]] ;;
	file) [[ -e $2 ]] ;;
	header) echo "#include <$2>" | gcc -E -x c - >/dev/null 2>&1 ;;
	amd64) [[ $(uname -m) != x86_64 ]] || present lib "$2" ;;
	lib)
		local lib
		for lib in ${2//,/ }; do
			pkg-config --exists "$lib" 2>/dev/null && return 0
		done
		return 1
		;;
	python) python3 -c "import $2" 2>/dev/null ;;
	rt)
		echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
			clang -fsanitize=fuzzer,address -x c - -o /dev/null 2>/dev/null
		;;
	esac
}

# Does apt know a version of it?
known() {
	apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'
}

missing=() reasons=()
look() {
	local set name kind rest
	missing=() reasons=()
	while read -r set name kind rest; do
		[[ " $* " == *" $set "* ]] || continue
		[[ " ${missing[*]-} " == *" $name "* ]] && continue
		local argument=
		[[ $kind == rt ]] || read -r argument rest <<<"$rest"
		present "$kind" "$argument" && continue
		missing+=("$name") reasons+=("$rest")
	done < <(rows)
}

look "$@"
[[ ${#missing[@]} -eq 0 ]] && exit 0

if ! command -v apt-get >/dev/null; then
	echo "deps: missing: ${missing[*]} (names of Debian's packages)." >&2
	echo "deps: apt-get is not here: install them by your system's own way." >&2
	exit 1
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
	as_root=(sudo)
	if ! command -v sudo >/dev/null ||
		{ [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
		as_root=(none)
	fi
fi

# Version 6 of msgpack-c has another package name than version 4.
settle_names() {
	local i
	for i in "${!missing[@]}"; do
		if [[ ${missing[i]} == libmsgpack-dev ]] && known libmsgpack-c-dev; then
			missing[i]=libmsgpack-c-dev
		fi
	done
}
settle_names

echo "deps: these packages are missing:"
for i in "${!missing[@]}"; do
	printf '  %-18s %s\n' "${missing[i]}" "${reasons[i]}"
done

if [[ ${as_root[*]-} == none ]]; then
	cat >&2 <<TEXT
deps: installing packages takes root, and this is neither root nor able to use
deps: sudo. Run this as root, then try again:

  apt-get update && apt-get install --no-install-recommends ${missing[*]}

TEXT
	exit 1
fi

export DEBIAN_FRONTEND=noninteractive
install=("${as_root[@]}" apt-get install -y -q --no-install-recommends)
update() {
	echo "deps: ${as_root[*]-}${as_root:+ }apt-get update"
	"${as_root[@]}" apt-get update -q
}

updated=no
for name in "${missing[@]}"; do
	if ! known "$name"; then
		update && updated=yes
		settle_names
		break
	fi
done
echo "deps: ${install[*]} ${missing[*]}"
if ! "${install[@]}" "${missing[@]}" </dev/null; then
	# Perhaps the lists are older than the archive.
	if [[ $updated == yes ]] || ! update ||
		! "${install[@]}" "${missing[@]}" </dev/null; then
		echo "deps: apt-get could not install: ${missing[*]} (see above)" >&2
		exit 1
	fi
fi

look "$@"
if [[ ${#missing[@]} -ne 0 ]]; then
	echo "deps: installed, but still not found: ${missing[*]}" >&2
	exit 1
fi
