"""The checks of lint.  Each takes a Tree and yields one message for each thing that is wrong ("file:line: what");
it raises Skip where it cannot judge.  Its docstring is its name in the output.
"""
import glob
import os
import re
import shutil
import statistics
import subprocess

import csource
from tree import TOP_LEVEL

FUNCTION_LINES_MAX = 70
FUNCTION_MEDIAN_MAX = 24
FILE_LINES_MAX = 600
NESTING_MAX = 3
PARAMETERS_MAX = 5

CHECKS = []


class Skip(Exception):
    """A check that cannot be made here; the text says why."""


def check(function):
    CHECKS.append(function)
    return function


def code_lines(tree, *endings):
    """(file, line number, line without comments and strings) of all sources."""
    for name in tree.sources(*endings):
        for number, line in enumerate(csource.blank(tree.read(name)).split("\n"), 1):
            yield name, number, line


def grep(tree, pattern, *endings):
    expression = re.compile(pattern)
    return [(name, number, line.strip()) for name, number, line in code_lines(tree, *endings)
            if expression.search(line)]


# ---- layers (DESIGN.md, section 3) ----------------------------------------------------------------------------------

# The machine of a link; the other headers of core hold values.
MACHINE = {"core/link.h", "core/race.h", "core/backoff.h", "core/effect.h"}
SNAPSHOT = {"config/config.h", "config/problems.h"}
WORKER_PUBLIC = {"worker/worker.h"}

# For each folder: the folders it may include from in full, and what else or what not.
LAYERS = {
    "base": (["base"], set(), set()),
    "core": (["base", "core"], set(), set()),
    "config": (["base", "core", "config"], set(), {"core/link.h"}),
    "sys": (["base", "core", "sys"], set(), MACHINE),
    "mailbox": (["base", "core", "sys", "mailbox"], SNAPSHOT, MACHINE),
    "worker": (["base", "core", "sys", "mailbox", "worker"], SNAPSHOT, set()),
    "main": (["base", "core", "config", "sys", "mailbox", "main"], WORKER_PUBLIC, MACHINE),
    "ctl": (["base", "core", "config", "sys", "mailbox", "ctl"], WORKER_PUBLIC, MACHINE),
}

# Where a foreign header may be included.
FOREIGN = [
    (r"openssl/", {"sys"}),
    (r"uv\.h$", {"sys"}),
    (r"ares", {"sys"}),
    (r"systemd/", {"main"}),
    (r"libconfig\.h$", {"config"}),
    (r"jansson\.h$", {"main", "ctl"}),
    (r"syslog\.h$", {"main"}),
    (r"(pthread|threads)\.h$", {"sys", "mailbox", "worker", "main", "ctl"}),
    (r"(unistd|fcntl|poll|time|sys/time|sys/epoll|sys/random|sys/stat|sys/ioctl|netdb|signal)\.h$",
     {"config", "sys", "worker", "main", "ctl"}),
]


def may_include(layer, header):
    folders, extra, never = LAYERS[layer]
    return (header.split("/")[0] in folders or header in extra) and header not in never


@check
def layers(tree):
    """layers: who includes whom"""
    for name in tree.sources():
        layer = name.split("/")[1]
        for number, line in enumerate(tree.read(name).split("\n"), 1):
            include = re.match(r'\s*#\s*include\s*(["<])([^">]+)', line)
            if not include:
                continue
            header = include.group(2)
            if layer not in LAYERS:
                yield f"{name}:{number}: no layer is called {layer}"
            elif include.group(1) == '"' and "/" not in header:
                yield f'{name}:{number}: write includes from src/: "{layer}/{header}"'
            elif include.group(1) == '"' and not may_include(layer, header):
                yield f"{name}:{number}: {layer} may not include {header}"
            elif include.group(1) == "<":
                yield from (f"{name}:{number}: <{header}> belongs into {', '.join(sorted(places))} only"
                            for pattern, places in FOREIGN if re.match(pattern, header) and layer not in places)


# ---- the numbers of STYLE.md ----------------------------------------------------------------------------------------


def all_functions(tree):
    return [(name, function) for name in tree.sources() for function in csource.functions(tree.read(name))]


@check
def function_length(tree):
    """functions: 70 lines at most"""
    for name, function in all_functions(tree):
        if function.length > FUNCTION_LINES_MAX:
            yield f"{name}:{function.line}: {function.name}() has {function.length} lines"


@check
def function_median(tree):
    """functions: half of them have 24 lines or fewer"""
    lengths = [function.length for _, function in all_functions(tree)]
    if lengths and statistics.median(lengths) > FUNCTION_MEDIAN_MAX:
        yield f"the median of {len(lengths)} functions is {statistics.median(lengths)} lines"


@check
def function_nesting(tree):
    """functions: 3 levels of nesting at most"""
    for name, function in all_functions(tree):
        if function.nesting > NESTING_MAX:
            yield f"{name}:{function.line}: {function.name}() nests {function.nesting} levels deep"


@check
def function_parameters(tree):
    """functions: 5 parameters at most"""
    for name, function in all_functions(tree):
        if function.parameters > PARAMETERS_MAX:
            yield f"{name}:{function.line}: {function.name}() takes {function.parameters} parameters; make it a struct"


@check
def file_length(tree):
    """files: 600 lines at most"""
    for name in tree.sources():
        count = tree.read(name).count("\n")
        if count > FILE_LINES_MAX:
            yield f"{name}:{count}: more than {FILE_LINES_MAX} lines"


@check
def documented(tree):
    """headers: every exported function is documented"""
    for name in tree.sources(".h"):
        for declaration in csource.declarations(tree.read(name)):
            if not re.search(rf"\b{declaration.name}\b", declaration.comment):
                why = "the comment above is about something else" if declaration.comment else "no comment above"
                yield f"{name}:{declaration.line}: {declaration.name}(): {why}"


@check
def exported(tree):
    """headers: what is not static is declared in a header"""
    declared = {declaration.name for name in tree.sources(".h") for declaration in csource.declarations(tree.read(name))}
    for name in tree.sources(".c"):
        for function in csource.functions(tree.read(name)):
            if not function.static and function.name != "main" and function.name not in declared:
                yield f"{name}:{function.line}: {function.name}() is neither static nor declared in a header"


@check
def guards(tree):
    """headers: #pragma once"""
    for name in tree.sources(".h"):
        if "#pragma once" not in tree.read(name):
            yield f"{name}:1: no #pragma once"


# ---- one way to do a thing ------------------------------------------------------------------------------------------


@check
def conditionals(tree):
    """preprocessor: #if in base only"""
    for name, number, line in grep(tree, r"^\s*#\s*(if|ifdef|ifndef|elif|else)\b"):
        if not name.startswith("src/base/"):
            yield f"{name}:{number}: {line}"


def exactly_once(tree, pattern, place, what):
    found = [hit for hit in grep(tree, pattern, ".c", ".h")]
    inside = [hit for hit in found if re.fullmatch(place, hit[0])]
    if len(inside) != 1:
        yield f"{what} occurs {len(inside)} times in {place} instead of once"
    if found != inside or len(inside) > 1:
        yield from (f"{name}:{number}: {line}" for name, number, line in found)


@check
def stage_writer(tree):
    """one door: link->stage is written once"""
    yield from exactly_once(tree, r"->\s*stage\s*=[^=]|\blink\.stage\s*=[^=]", r"src/core/link\.c", "->stage =")


# A call of a function, and neither a member's, another function's, nor a declaration's name in column 0.
CALL = r"(?<![\w.>])(?<!^){}\s*\("


@check
def close_caller(tree):
    """one door: close() is called once"""
    yield from exactly_once(tree, CALL.format("close"), r"src/sys/fd\.c", "close()")


@check
def clock_caller(tree):
    """one door: clock_gettime() is called once"""
    yield from exactly_once(tree, CALL.format("clock_gettime"), r"src/sys/clock\.c", "clock_gettime()")


@check
def syslog_caller(tree):
    """one door: syslog() is called once"""
    yield from exactly_once(tree, CALL.format("v?syslog"), r"src/main/\w+\.c", "syslog()")


@check
def other_clocks(tree):
    """one door: no other clock is read, and nothing sleeps"""
    for name, number, line in grep(tree, CALL.format(r"(gettimeofday|time|timespec_get|uv_hrtime|u?sleep|nanosleep)")):
        yield f"{name}:{number}: {line}"


@check
def no_logging_below(tree):
    """only main and ctl write to standard output and error"""
    for name, number, line in grep(tree, CALL.format(r"(v?printf|puts|putchar|perror)") + r"|\bstd(out|err)\b"):
        if not re.match(r"src/(main|ctl)/|src/base/must\.c", name):
            yield f"{name}:{number}: {line}"


@check
def no_goto(tree):
    """no goto"""
    for name, number, line in grep(tree, r"\bgoto\b"):
        yield f"{name}:{number}: {line}"


# ---- text -----------------------------------------------------------------------------------------------------------


def text_lines(tree):
    for name in tree.files:
        text = tree.read(name)
        if name == "LICENSE" or name.startswith("tests/fuzz/corpus/") or "\0" in text:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            yield name, number, line


@check
def nothing_left_to_do(tree):
    """no notes of unfinished work"""
    marks = re.compile(r"\b(%s)\b" % "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")))
    for name, number, line in text_lines(tree):
        if marks.search(line):
            yield f"{name}:{number}: {line.strip()}"


REGISTRIES = {"org": ["py" + "pi", "files.python" + "hosted", "gol" + "ang", "rub" + "ygems", "deb." + "debian",
                      "snapshot." + "debian", "repo1.ma" + "ven"],
              "com": ["npm" + "js", "registry.ya" + "rnpkg"], "io": ["cra" + "tes", "gh" + "cr", "qu" + "ay"]}


@check
def no_registries(tree):
    """no package registry is named"""
    hosts = re.compile("|".join(rf"\b{re.escape(host)}\.{end}\b" for end, names in REGISTRIES.items() for host in names))
    for name, number, line in text_lines(tree):
        if hosts.search(line):
            yield f"{name}:{number}: {line.strip()}"


@check
def top_level(tree):
    """the top level holds only what DESIGN.md lists"""
    if not tree.is_clone():
        raise Skip("not a clone: a distributed tree holds generated files too")
    for name in sorted({name.split("/")[0] for name in tree.files} - TOP_LEVEL):
        if not name.startswith("."):
            yield f"{name}: does not belong there"


@check
def listed(tree):
    """Makefile.am lists every source and test"""
    words = set(tree.read("Makefile.am").replace("\\\n", " ").split())
    for name in tree.sources(".c", ".h"):
        if name not in words:
            yield f"{name}: not in Makefile.am, so it is neither built nor distributed"
    for name in tree.sources(".c", ".py", below="tests/"):
        program = name.removesuffix(".c")
        if re.search(r"/(test-[^/]+\.c|fuzz-[^/]+\.c|test_[^/]+\.py)$", name) and program not in words:
            yield f"{name}: not in Makefile.am, so it is never run"


# ---- two lists that must agree --------------------------------------------------------------------------------------

LIFE = {"T": "TRANSIENT", "P": "PERSISTENT"}
BLAME = {"A": "ADDRESS", "U": "UPSTREAM", "L": "LOCAL"}


def shared(tree, name):
    path = os.path.join(tree.root, "..", "shared", name)
    if not os.path.exists(path):
        raise Skip(f"../shared/{name} is not beside this tree")
    with open(path, encoding="utf-8") as file:
        return file.read()


def documented_failures(text):
    rows = re.findall(r"^\| `([a-z0-9.-]+)` \|.*?\| ([TP]) \| ([AUL]) \|", text, re.MULTILINE)
    return {code: (LIFE[life], BLAME[blame]) for code, life, blame in rows}


def listed_failures(text):
    entries = re.findall(r'\bF\((\w+),\s*"([^"]+)",\s*(\w+),\s*(\w+),', text.replace("\\\n", " "))
    return {code: (life, blame) for _, code, life, blame in entries}, {code: name for name, code, _, _ in entries}


@check
def failure_codes(tree):
    """FAILURES.md and core/failure_list.h agree"""
    wanted = documented_failures(shared(tree, "FAILURES.md"))
    if not tree.exists("src/core/failure_list.h"):
        yield "src/core/failure_list.h: missing"
        return
    have, names = listed_failures(tree.read("src/core/failure_list.h"))
    for code in sorted(wanted.keys() - have.keys()):
        yield f"{code}: not in the source's list"
    for code in sorted(have.keys() - wanted.keys()):
        yield f"{code}: not in FAILURES.md"
    for code in sorted(have.keys() & wanted.keys()):
        if have[code] != wanted[code]:
            yield f"{code}: {', '.join(have[code])} in the source, {', '.join(wanted[code])} in FAILURES.md"
        if names[code] != re.sub(r"[.-]", "_", code).upper():
            yield f"{code}: is called FAILURE_{names[code]}"


@check
def failure_scenarios(tree):
    """every failure code has one scenario that provokes it"""
    _, listed = listed_failures(tree.read("src/core/failure_list.h")) if tree.exists("src/core/failure_list.h") else ({}, {})
    rows = {}
    for name in tree.sources(".py", below="tests/system/scenarios"):
        for code in re.findall(r'^(?:@scenario\(|NOT_YET\[)"([^"]+)"', tree.read(name), re.MULTILINE):
            if code in rows:
                yield f"{name}: another scenario for {code}; there is one in {rows[code]}"
            rows[code] = name
    codes = set(listed.keys())
    for code in sorted(codes - rows.keys()):
        yield f"{code}: no scenario in tests/system/scenarios_*.py"
    for code in sorted(rows.keys() - codes):
        yield f"{rows[code]}: a scenario for {code}, which is no code"


@check
def interface(tree):
    """the shipped Varlink interface is the agreed one"""
    name = "io.holdfast.Control.varlink"
    if shared(tree, "control/" + name) != tree.read("src/main/" + name):
        yield f"src/main/{name}: differs from ../shared/control/{name}"


# ---- other people's tools -------------------------------------------------------------------------------------------


@check
def formatted(tree):
    """clang-format has nothing to change"""
    if not shutil.which("clang-format"):
        raise Skip("clang-format is not installed")
    version = re.search(r"version (\d+)", subprocess.run(["clang-format", "--version"], capture_output=True,
                                                         text=True, check=True).stdout).group(1)
    if version != "14":
        raise Skip(f"clang-format {version}: only 14 (Debian 12) decides, other versions differ in details")
    names = tree.sources() + tree.sources(below="tests/")
    for name in names:
        command = ["clang-format", "--dry-run", "-Werror", os.path.join(tree.root, name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            first = (done.stderr or "?").split("\n")[0].replace(tree.root + "/", "")
            yield f"{first} ({done.stderr.count('clang-format-violations')} places)"


@check
def manuals(tree):
    """mandoc finds nothing in the manual pages"""
    if not shutil.which("mandoc"):
        raise Skip("mandoc is not installed")
    build = os.environ.get("HOLDFAST_BUILDDIR", tree.root)
    folders = {f"{root}/{place}" for root in (tree.root, build) for place in ("src/main", "src/ctl", "conf")}
    pages = sorted(page for folder in folders for page in glob.glob(glob.escape(folder) + "/*.[158]"))
    if not pages:
        yield "no manual page found"
    for page in pages:
        output = subprocess.run(["mandoc", "-Tlint", page], capture_output=True, text=True, check=False).stdout
        # Whether the pages we refer to are installed on this host says nothing about ours.
        yield from (line for line in output.splitlines() if "referenced manual not found" not in line)
