"""The files that lint looks at."""
import os
import subprocess

# What DESIGN.md allows at the top, besides dotfiles.
TOP_LEVEL = {"src", "conf", "systemd", "tests", "autogen.sh", "configure.ac", "Makefile.am", "README.md", "LICENSE"}


class Tree:
    """A source tree at `root`; files are named by their path below it."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.files = sorted(self.from_git() or self.from_disk())

    def from_git(self):
        """What is, or would be, committed; None without a repository of its own at `root`."""
        if not os.path.exists(os.path.join(self.root, ".git")):
            return None
        command = ["git", "-c", "safe.directory=*", "-C", self.root, "ls-files", "-z", "--cached", "--others",
                   "--exclude-standard"]
        output = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        return {name for name in output.split("\0") if name and os.path.isfile(os.path.join(self.root, name))}

    def from_disk(self):
        """What a distribution unpacks to, without what is generated."""
        names = {name for name in TOP_LEVEL if os.path.isfile(os.path.join(self.root, name))}
        for top in sorted(TOP_LEVEL - names):
            for folder, folders, files in os.walk(os.path.join(self.root, top)):
                folders[:] = [name for name in folders if name not in ("__pycache__", ".deps")]
                names |= {os.path.relpath(os.path.join(folder, name), self.root) for name in files}
        return names

    def is_clone(self):
        return os.path.exists(os.path.join(self.root, ".git"))

    def read(self, name):
        with open(os.path.join(self.root, name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def exists(self, name):
        return os.path.exists(os.path.join(self.root, name))

    def sources(self, *endings, below="src/"):
        return [name for name in self.files if name.startswith(below) and name.endswith(endings or (".c", ".h"))]
