import pytest

from doorkey.agent.caution import holds_secrets, runs_later


@pytest.mark.parametrize(
    "path",
    [
        *(".env", ".env.local", "deep/down/.env", "prod.env", "server.pem", "tls.key", "id_rsa", "id_ed25519.old"),
        *(".netrc", ".npmrc", ".pypirc", "credentials", "credentials.json", ".git/config", "sub/.git/config"),
        *(".git/modules/x/config", ".ssh/known_hosts", ".aws/config", ".codex/auth.json", "terraform.tfstate"),
    ],
)
def test_a_name_that_promises_secrets_is_known(path: str):
    assert holds_secrets(tuple(path.split("/")))


@pytest.mark.parametrize("path", [".ENV", ".Git/Config", "ID_RSA", ".e\u200cnv", "\uff0eenv", ".SSH/x"])
def test_another_spelling_of_the_same_name_is_known_too(path: str):
    assert holds_secrets(tuple(path.split("/")))


@pytest.mark.parametrize(
    "path", ["README.md", "src/environment.py", "keys.py", "id_map.py", "config", ".gitignore", "."]
)
def test_an_ordinary_name_is_not_suspected(path: str):
    assert not holds_secrets(tuple(path.split("/")))


def test_the_folder_itself_is_not_suspected():
    assert not holds_secrets(())


@pytest.mark.parametrize(
    ("path", "who"),
    [
        (".git/hooks/pre-commit", "git acts on it"),
        (".GIT/config", "git acts on it"),
        ("vendor/x/.git/config", "git acts on it"),
        (".github/workflows/ci.yml", "GitHub runs it"),
        (".vscode/tasks.json", "your editor may run it"),
        (".claude/settings.json", "another agent may run it"),
        (".envrc", "your shell runs it"),
        ("Makefile", "a build runs it"),
        ("packages/a/package.json", "a build runs it"),
        ("tests/conftest.py", "Python's tools run it"),
        ("src/evil.pth", "every Python start runs it"),
    ],
)
def test_what_would_run_later_is_told_with_who_runs_it(path: str, who: str):
    assert runs_later(tuple(path.split("/"))) == who


@pytest.mark.parametrize("path", ["notes.md", "src/main.py", ".gitignore"])
def test_an_ordinary_file_is_run_by_nobody(path: str):
    assert runs_later(tuple(path.split("/"))) is None
