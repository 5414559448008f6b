import pytest

from backbone.model.passwords import passwords, without_passwords


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at postgresql://ann:s3cret@db:5432/lake: no", "at postgresql://ann:***@db:5432/lake: no"),
        ("at postgres://ann:@db/lake", "at postgres://ann:***@db/lake"),
        ("postgresql://me:a%40b@db/bi?password=c", "postgresql://me:***@db/bi?password=***"),
        ("postgresql://me@db/bi", "postgresql://me@db/bi"),
        ("user=ann password=s3c&ret host=db", "user=ann password=*** host=db"),
        (r"password='it\'s s3cret' host=db", "password=*** host=db"),
        (r"sslpassword=s3\ cret user=ann", "sslpassword=*** user=ann"),
        ("PASSWORD = s3cret", "PASSWORD = ***"),
        ("password authentication failed for user ann", "password authentication failed for user ann"),
    ],
)
def test_passwords_are_not_told(text, told):
    assert without_passwords(text) == told


@pytest.mark.parametrize(
    ("conninfo", "found"),
    [
        ("postgresql://me:a%40b@db/bi?sslmode=require&password=c%20d#x", ("a%40b", "a@b", "c%20d", "c d")),
        ("postgresql://me:it%27s@db/bi", ("it%27s", "it's", r"it\'s")),
        ("postgresql://me@db/bi", ()),
        ("postgresql://[not a url", ()),
        ("host=db password='x y' user=me", ("'x y'", "x y")),
        (r"password='it\'s' sslpassword=a\ b&c", (r"'it\'s'", "it's", r"it\'s", r"a\ b&c", "a b&c")),
        ("host=db", ()),
    ],
)
def test_passwords_are_found_as_they_are_written_meant_and_quoted(conninfo, found):
    assert passwords(conninfo) == found
