from doorkey.domain.causes import causes_of


def test_what_an_error_was_raised_from_comes_before_what_it_was_raised_beside():
    error, cause, beside = ValueError("outer"), OSError("cause"), KeyError("beside")
    error.__cause__, error.__context__ = cause, beside

    assert list(causes_of(error)) == [error, cause, beside]


def test_the_members_of_a_group_are_walked_too():
    inner, beneath = OSError("inner"), KeyError("beneath")
    inner.__cause__ = beneath
    group = ExceptionGroup("many", [ValueError("first"), inner])

    assert list(causes_of(group))[2:] == [inner, beneath]


def test_errors_that_name_each_other_are_walked_once():
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__context__ = other, one

    assert list(causes_of(one)) == [one, other]
