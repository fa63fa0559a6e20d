"""Publish a bundle on the Hugging Face Hub, for those who have an account there. Run, after `make bundle`:

    hf auth login                                        # once; or HF_TOKEN in the environment
    python -m tools.push_to_hub OWNER/NAME [--private]

Only what card.json names is sent, once every file's hash is the card's; the bundle's README.md is the model card. To have it
on another machine: `hf download OWNER/NAME --local-dir bundle`. HF_ENDPOINT names another hub than huggingface.co.
"""
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

from labeller.bundle import CARD, checked, read_card
from labeller.command import BUNDLE
from labeller.errors import BundleError
from labeller.parser import Parser
from stages.core.command_line import run
from stages.core.errors import UserError


def check(folder: Path) -> dict:
    """The card of a bundle whose files are all there and undamaged; raises UserError."""
    try:
        card = read_card(folder)
        for name, digest in card["files"].items():
            checked(folder / name, digest)
    except BundleError as error:
        raise UserError(str(error)) from None
    return card


def push(folder: Path, repository: str, private: bool) -> str:
    """Send a bundle as one commit; returns its URL. Raises UserError with what the hub says."""
    card, api = check(folder), HfApi()
    made = card["made_from"]["revision"] or "no revision"
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        return api.upload_folder(repo_id=repository, folder_path=folder, allow_patterns=[CARD, *card["files"]],
                                 commit_message=f"{card['name']}, made from {made}").commit_url
    except LocalTokenNotFoundError:
        raise UserError("no account: run `hf auth login`, or set HF_TOKEN") from None
    except (HFValidationError, HfHubHTTPError) as error:
        raise UserError(f"{repository}: {str(error).splitlines()[0]}") from None
    except Exception as error:  # noqa: BLE001 of the HTTP library, which is another one in each version of huggingface_hub
        raise UserError(f"{api.endpoint}: {str(error) or type(error).__name__}") from None


def main():
    parser = Parser(prog="python -m tools.push_to_hub", description=__doc__.split("\n\n")[0])
    parser.add_argument("repository", metavar="OWNER/NAME")
    parser.add_argument("--private", action="store_true", help="visible to its owners alone, if it is new")
    parser.add_argument("--bundle", type=Path, default=Path(BUNDLE), metavar="DIR", help=f"default: {BUNDLE}")
    asked = parser.parse_args()
    print(f"published: {push(asked.bundle, asked.repository, asked.private)}")


if __name__ == "__main__":
    run(main)
