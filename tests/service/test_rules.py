from doorkey.service.rules import Rule, Rules
from doorkey.testing.memory import MemorySettings


def some_rules(*rules):
    kept = Rules(MemorySettings())
    for folder, account in rules:
        kept.set(Rule(provider="acme", folder=folder, account=account))
    return kept


def test_the_longest_path_counts():
    rules = some_rules(("/", "root"), ("/work", "work"), ("/work/site", "site"))

    found = [rules.at("acme", folder).account for folder in ("/", "/work/other", "/work/site/src", "/workshop")]

    assert found == ["root", "work", "site", "root"]


def test_a_folder_beside_or_above_has_no_rule():
    rules = some_rules(("/work/site", "site"))

    assert [rules.at("acme", folder) for folder in ("/work", "/work/site2", "/")] == [None, None, None]


def test_a_rule_is_of_one_provider():
    rules = some_rules(("/work", "work"))

    assert rules.at("other", "/work") is None


def test_a_folder_has_one_rule_and_the_last_counts():
    rules = some_rules(("/work", "first"))

    rules.set(Rule(provider="acme", folder="/work", account="second", only=True))

    assert rules.all() == [Rule(provider="acme", folder="/work", account="second", only=True)]


def test_a_folder_may_have_colons_and_spaces_in_its_name():
    rule = Rule(provider="acme", folder="/work/a: b only", account="acc_1")
    rules = some_rules()

    rules.set(rule)

    assert rules.at("acme", "/work/a: b only/src") == rule


def test_what_was_removed_rules_no_more():
    rules = some_rules(("/work", "work"))

    assert rules.remove("acme", "/work")
    assert not rules.remove("acme", "/work")
    assert rules.all() == []
