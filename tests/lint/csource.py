"""Just enough C to measure it: comments and strings blanked out, functions found, statements nested.

It relies on the look that clang-format gives the tree: a function's name and its braces stand in column 0.
"""
import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' """, re.DOTALL | re.VERBOSE)
NAME = re.compile(r"^(\w+)\(")
CONTROL = {"if", "for", "while", "switch"}
FOREACH = re.compile(r"^\w*for_each\w*$")
WORDS = re.compile(r"\w+|\S")


def blank(text):
    """`text` with comments, strings and characters replaced by blanks; every line keeps its number and length."""
    def spaces(match):
        found = match.group(0)
        kept = found[0] if found[0] in "\"'" else " "
        return "".join("\n" if c == "\n" else kept if i in (0, len(found) - 1) else " " for i, c in enumerate(found))
    return TOKEN.sub(spaces, text)


@dataclass
class Function:
    name: str
    line: int  # where the name stands
    length: int  # lines from the name to the closing brace
    parameters: int
    nesting: int
    static: bool


def parameter_count(signature):
    """The number of parameters in `signature`, "name(int a, int (*b)(int, int)) attributes…"."""
    depth, count, inner = 0, 0, ""
    for character in signature[signature.index("("):]:
        depth += character in "([{"
        depth -= character in ")]}"
        if depth == 0:
            break
        count += character == "," and depth == 1
        inner += character
    inner = inner[1:].strip()
    if inner in ("", "void"):
        return 0
    return count + 1 - inner.endswith("...")


class Statements:
    """The deepest nesting of control statements in a function's body; an `else if` adds no level."""

    def __init__(self, body):
        self.tokens = WORDS.findall(body)
        self.at = 0
        self.deepest = 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def balanced(self):
        """Skip from an opening bracket to behind its closing one."""
        depth = 0
        while self.at < len(self.tokens):
            depth += self.tokens[self.at] in "([{"
            depth -= self.tokens[self.at] in ")]}"
            self.at += 1
            if depth == 0:
                return

    def controlled(self, level):
        self.deepest = max(self.deepest, level)
        self.statement(level)

    def statement(self, level):
        word = self.peek()
        if word == "{":
            self.at += 1
            while self.peek() not in ("}", ""):
                self.statement(level)
            self.at += 1
        elif word in CONTROL or (FOREACH.match(word) and self.tokens[self.at + 1:self.at + 2] == ["("]):
            self.at += 1
            self.balanced()
            self.controlled(level + 1)
            if word == "if" and self.peek() == "else":
                self.at += 1
                if self.peek() == "if":
                    self.statement(level)
                else:
                    self.controlled(level + 1)
        elif word == "do":
            self.at += 1
            self.controlled(level + 1)
            self.simple()
        elif word in ("case", "default"):
            while self.peek() not in (":", ""):
                self.at += 1
            self.at += 1
        else:
            self.simple()

    def simple(self):
        """Skip an expression or a declaration up to its semicolon, initializers and all."""
        while self.peek() not in (";", "}", ""):
            if self.peek() in "([{":
                self.balanced()
            else:
                self.at += 1
        if self.peek() == ";":
            self.at += 1


def without_preprocessor(text):
    """`text` with preprocessor lines (and their continuations) emptied."""
    lines, inside = [], False
    for line in text.split("\n"):
        inside = inside or line.lstrip().startswith("#")
        lines.append("" if inside else line)
        inside = inside and line.endswith("\\")
    return "\n".join(lines)


def functions(text):
    """Every function defined in the C source `text`."""
    lines = without_preprocessor(blank(text)).split("\n")
    found = []
    for number, line in enumerate(lines):
        if line != "{":
            continue
        start = number - 1
        while start > 0 and not NAME.match(lines[start]):
            start -= 1
        end = number
        while end < len(lines) - 1 and lines[end] != "}":
            end += 1
        match = NAME.match(lines[start])
        if not match:
            continue
        walk = Statements("\n".join(lines[number:end + 1]))
        walk.statement(0)
        found.append(Function(match.group(1), start + 1, end - start + 1,
                              parameter_count("\n".join(lines[start:number])), walk.deepest,
                              bool(re.search(r"\bstatic\b", lines[start - 1]))))
    return found


@dataclass
class Declaration:
    name: str
    line: int
    comment: str  # the nearest one above it that begins in column 0; or ""


def declarations(text):
    """Every function declared or defined in the header `text`, with the comment that belongs to it."""
    comments = [(match.end(), match.group(0)) for match in re.finditer(r"^/\*.*?\*/", text, re.DOTALL | re.MULTILINE)]
    found, offset = [], 0
    for number, line in enumerate(without_preprocessor(blank(text)).split("\n"), 1):
        match = re.match(r"^(?!typedef|struct\s+\w+\s*\{|return\b)(?:[\w*\s]*?[\s*])?(\w+)\(", line)
        # Words in capitals are macros that define something.
        if match and not line.startswith(("\t", " ")) and not re.match(r"__|[A-Z_0-9]+$", match.group(1)):
            above = [comment for end, comment in comments if end <= offset]
            found.append(Declaration(match.group(1), number, above[-1] if above else ""))
        offset += len(text.split("\n", number)[number - 1]) + 1
    return found
