"""Names that deserve a question first: what holds secrets when it is read, and what runs later when it is written."""

import unicodedata
from fnmatch import fnmatchcase

from doorkey.agent.fence import Parts

_SECRET_FILES = (
    *(".env*", "*.env", ".netrc", "_netrc", ".npmrc", ".yarnrc*", ".pypirc", ".pgpass", ".my.cnf"),
    *(".git-credentials", ".htpasswd", ".dockerconfigjson", ".vault_pass*", ".*_history"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.asc", "*.gpg"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "id_xmss*"),
    *("credentials*", ".credentials*", "secret.*", "secrets.*", "client_secret*", "service-account*.json"),
    *("auth.json", "oauth*.json", "token*.json", "*.tfstate", "*.tfstate.*", "*.tfvars", "kubeconfig*"),
)
_SECRET_FOLDERS = {".ssh", ".aws", ".azure", ".gnupg", ".kube", ".docker", ".gcloud", ".secrets"}

_RUNS_LATER = (
    (".git/*", "git acts on it"),
    ("*/.git/*", "git acts on it"),
    (".husky/*", "git runs it"),
    (".github/*", "GitHub runs it"),
    (".gitlab-ci.yml", "GitLab runs it"),
    (".vscode/*", "your editor may run it"),
    (".idea/*", "your editor may run it"),
    (".devcontainer/*", "your editor may run it"),
    (".claude/*", "another agent may run it"),
    (".codex/*", "another agent may run it"),
    (".cursor/*", "another agent may run it"),
)
_RUNS_LATER_FILES = (
    ((".bashrc", ".bash_profile", ".profile", ".zshrc", ".zshenv", ".zprofile", ".envrc"), "your shell runs it"),
    ((".gitattributes", ".gitmodules", ".gitconfig", ".pre-commit-config.yaml"), "git acts on it"),
    (("makefile", "gnumakefile", "*.mk", "justfile", "rakefile", "cmakelists.txt", "build.rs"), "a build runs it"),
    (("package.json", ".npmrc", "*.gradle", "dockerfile*", "*compose*.y*ml"), "a build runs it"),
    (("setup.py", "setup.cfg", "pyproject.toml", "conftest.py", "noxfile.py", "tox.ini"), "Python's tools run it"),
    (("*.pth", "sitecustomize.py", "usercustomize.py"), "every Python start runs it"),
)


def holds_secrets(parts: Parts) -> bool:
    """Tell by its name whether reading a file may show a key, a password or a token."""
    *folders, name = _plain(parts)
    in_git = ".git" in folders and name.startswith("config")
    return in_git or not _SECRET_FOLDERS.isdisjoint(folders) or _matches(name, _SECRET_FILES)


def runs_later(parts: Parts) -> str | None:
    """Say who would run what is written there, or None for an ordinary file."""
    plain = _plain(parts)
    for pattern, who in _RUNS_LATER:
        if fnmatchcase("/".join(plain), pattern):
            return who
    return next((who for patterns, who in _RUNS_LATER_FILES if _matches(plain[-1], patterns)), None)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _plain(parts: Parts) -> list[str]:
    """Fold the spellings that a file system may take for the same name (case, width, invisible marks)."""
    folded = [unicodedata.normalize("NFKC", name).casefold() for name in parts] or ["."]
    return ["".join(char for char in name if unicodedata.category(char) != "Cf") for name in folded]
