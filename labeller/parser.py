"""Words of a command line, of which a wrong one is told in one line."""
import argparse

from labeller.errors import one_line


class Parser(argparse.ArgumentParser):
    """argparse's, without the usage before an error; exit status 2, as there."""

    def error(self, message: str):
        self.exit(2, f"error: {one_line(message)}; `{self.prog} --help` lists all words\n")
