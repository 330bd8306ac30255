#!/bin/sh
# Makes holdfast buildable from a clone, and offers the two commands of the README.
#
#   ./autogen.sh          make ./configure (needs autoconf and automake)
#   ./autogen.sh demo     install what is missing, build in build/, run the demo; arguments go to tests/demo/demo
#   ./autogen.sh check    install what is missing, build in every way, run every test; the last line is the sum
#
# Packages are installed on Debian only, and only those that are missing; elsewhere the names below say what is needed.
set -eu
cd "$(dirname "$0")"
top=$PWD

build_packages="gcc libc6-dev make autoconf automake pkgconf libssl-dev libconfig-dev libsystemd-dev libuv1-dev
	libc-ares-dev libjansson-dev"
demo_packages="python3 openssl"
check_packages="clang libclang-rt-dev clang-format mandoc libcmocka-dev python3 python3-pytest python3-cryptography python3-dnslib
	openssl iproute2 nftables procps strace xz-utils git debootstrap systemd-container"
jobs=$(nproc)

say() {
	printf '%s\n' "$*"
}

# Root, or somebody who may become root.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		say "autogen.sh: neither root nor sudo; install these packages first: $missing" >&2
		return 1
	fi
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >>build/apt.log 2>&1 || {
		tail -n 20 build/apt.log >&2
		say "autogen.sh: apt-get $1 failed; build/apt.log has it all" >&2
		return 1
	}
}

install_packages() {
	command -v dpkg-query >/dev/null || return 0
	missing=
	for package; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	say "installing:$missing"
	mkdir -p build
	: >build/apt.log
	apt update
	apt install --no-install-recommends $missing
}

bootstrap() {
	autoreconf -fi >build/autoreconf.log 2>&1 || {
		cat build/autoreconf.log >&2
		return 1
	}
}

# configure_in FOLDER OPTION...: once; afterwards make knows by itself when to do it again.
configure_in() {
	folder=$1
	shift
	[ ! -f "$folder/Makefile" ] || return 0
	mkdir -p "$folder"
	(cd "$folder" && "$top/configure" --quiet "$@" >configure.out 2>&1) || {
		cat "$folder/configure.out" >&2
		return 1
	}
}

demo() {
	# shellcheck disable=SC2086 # lists of words
	install_packages $build_packages $demo_packages
	mkdir -p build
	[ -x configure ] || bootstrap
	configure_in build
	say "building in $top/build"
	make -s -C build -j"$jobs" >build/make.log 2>&1 || {
		tail -n 40 build/make.log >&2
		return 1
	}
	HOLDFAST_SRCDIR=$top HOLDFAST_BUILDDIR=$top/build
	export HOLDFAST_SRCDIR HOLDFAST_BUILDDIR
	exec tests/demo/demo "$@"
}

# ---- check ----------------------------------------------------------------------------------------------------------

passed=0
failed=0
skipped=0
sum() {
	say "$passed passed, $failed failed, $skipped skipped"
}

# Whatever ends this script, the last line is the sum, and nothing but a completed run counts as success.
finished=no
finish() {
	status=$?
	trap - EXIT
	[ "$finished" = yes ] || failed=$((failed + 1))
	sum
	[ "$failed" -eq 0 ] && [ "$status" -eq 0 ] && exit 0
	exit 1
}

count() {
	find "$1/tests" -name '*.trs' -exec cat {} + 2>/dev/null | grep -c "^:test-result: $2" || :
}

add() {
	passed=$((passed + $2))
	failed=$((failed + $3))
	skipped=$((skipped + $4))
	say "$1: $2 passed, $3 failed, $4 skipped  ($(($(date +%s) - phase_began)) s)"
}

# make_in FOLDER ARGUMENT...: make, with the tests' own lines shown and everything else in FOLDER/make.log.
make_in() {
	folder=$1
	shift
	{
		make -C "$folder" -j"$jobs" "$@" 2>&1 || say "make: status $?"
	} | tee "$folder/make.log" | grep --line-buffered -E '^(PASS|FAIL|SKIP): ' || :
	! grep -q '^make: status ' "$folder/make.log"
}

# What went wrong: compiler's or make's errors, and the logs of the tests that failed.
show_failure() {
	grep -nE 'error:|warning:|\*\*\*' "$1/make.log" | head -n 40 >&2 || :
	for suite in "$1/test-suite.log" "$1"/holdfast-*/_build/sub/test-suite.log; do
		[ ! -f "$suite" ] || tail -n 400 "$suite" >&2
	done
}

# test_phase NAME FOLDER TESTS [OPTION...]: build in FOLDER and run TESTS (make's words); each result counts.
test_phase() {
	name=$1 folder=$2 tests=$3
	shift 3
	phase_began=$(date +%s)
	say "== $name"
	good=yes
	configure_in "$folder" "$@" || { add "$name" 0 1 0; return; }
	find "$folder/tests" -name '*.trs' -delete 2>/dev/null || :
	rm -f "$folder/test-suite.log"
	make_in "$folder" check ${tests:+"TESTS=$tests"} || good=no
	p=$(count "$folder" PASS) f=$(count "$folder" FAIL) s=$(count "$folder" SKIP)
	if [ "$good" = no ] && [ "$f" -eq 0 ]; then f=1; fi
	if [ "$p" -eq 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	[ "$f" -eq 0 ] || show_failure "$folder"
	add "$name" "$p" "$f" "$s"
}

# single_phase NAME COMMAND...: something that works or does not.
single_phase() {
	name=$1
	shift
	phase_began=$(date +%s)
	say "== $name"
	if "$@"; then add "$name" 1 0 0; else add "$name" 0 1 0; fi
}

clang_build() {
	configure_in build/clang CC=clang CFLAGS="-O1 -g" --enable-fuzzers --enable-sanitizers=address,undefined &&
		{ make_in build/clang all check TESTS= || { show_failure build/clang; false; }; }
}

# Each fuzzer goes on from its corpus for a moment: new inputs are looked for, not only old ones replayed.
fuzz_for_a_moment() {
	worst=0
	for fuzzer in build/clang/tests/fuzz/fuzz-*; do
		[ -f "$fuzzer" ] && [ -x "$fuzzer" ] || continue
		kept=build/clang/fuzz-found/${fuzzer##*/fuzz-}
		mkdir -p "$kept"
		"$fuzzer" -max_total_time=3 -artifact_prefix="$kept-" "$kept" "tests/fuzz/corpus/${fuzzer##*/fuzz-}" \
			>"$kept.log" 2>&1 || { tail -n 40 "$kept.log" >&2; worst=1; }
	done
	return $worst
}

# The distribution builds, tests, installs and uninstalls elsewhere, and it holds every file of the clone.  The worker's tests
# take longest and need no file of the distribution.
dist_check() {
	rm -f build/test-suite.log
	make_in build distcheck 'TESTS=$(filter-out tests/unit/test-worker%,$(UNIT_TESTS)) $(FUZZ_TESTS)' || {
		show_failure build
		return 1
	}
	[ -e .git ] || return 0
	tar -tf build/holdfast-*.tar.xz | sed 's|^[^/]*/||' | sort >build/distributed
	git -c safe.directory='*' ls-files | grep -v -E '^\.(ci|gitignore)' | sort >build/tracked
	forgotten=$(comm -13 build/distributed build/tracked)
	[ -z "$forgotten" ] || {
		say "not in the distribution: list them in Makefile.am" "$forgotten" >&2
		return 1
	}
}

# They are fetched and unpacked while the first build goes on.
wait_for_servers() {
	wait "$servers" || {
		tail -n 40 build/servers.log >&2
		return 1
	}
}

check() {
	trap finish EXIT
	# shellcheck disable=SC2086 # lists of words
	install_packages $build_packages $check_packages
	mkdir -p build
	bootstrap
	# Made once for all the ways to build; without root no real server could be started, and the tests say so.
	HOLDFAST_SERVERS=$top/build/servers-root
	export HOLDFAST_SERVERS
	servers=
	if [ "$(id -u)" -eq 0 ]; then
		tests/servers/root >build/servers.log 2>&1 &
		servers=$!
	fi
	# Every server asked in every wrong way is once enough: what it takes is met by the other tests, too.
	systems='$(filter-out tests/system/test_servers_matrix.py,$(SYSTEM_TESTS))'
	programs="\$(UNIT_TESTS) \$(SIM_TESTS) \$(FUZZ_TESTS) $systems"
	single_phase "clang" clang_build
	single_phase "fuzzers" fuzz_for_a_moment
	[ -z "$servers" ] || single_phase "real servers" wait_for_servers
	test_phase "gcc" build ""
	test_phase "address and undefined behaviour sanitizers" build/asan "$programs" \
		CFLAGS="-O1 -g" --enable-sanitizers=address,undefined
	export HOLDFAST_TEST_WORKERS=4
	test_phase "thread sanitizer" build/tsan "\$(THREAD_TESTS) $systems" \
		CFLAGS="-O1 -g" --enable-sanitizers=thread
	unset HOLDFAST_TEST_WORKERS
	single_phase "distcheck" dist_check
	finished=yes
}

case ${1-} in
"")
	exec autoreconf -fi
	;;
demo)
	shift
	demo "$@"
	;;
check)
	check </dev/null
	;;
*)
	say "usage: ./autogen.sh [demo|check]" >&2
	exit 2
	;;
esac
