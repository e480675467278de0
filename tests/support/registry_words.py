"""The words random registry calls are made of: ordinary ones, odd ones that are allowed, and ones that are refused.

`<run>` stands for a word that no other replay uses, so that calls can be repeated without a new server.
"""

from __future__ import annotations

from collections.abc import Mapping

RUN = "<run>"
RUN_LENGTH = 6  # of the word that replaces it


def split(rows: str) -> list[str]:
    """The words of a table, separated by ' | ' or the end of a row."""
    return [word for row in rows.strip("\n").split("\n") for word in row.split(" | ")]


NAME_ENDINGS = split("""
alpha | Alpha | ALPHA | beta | beta 2 | gamma_1 | gammaX1 | 100% | 1000 | a.b-c_d | v1 | 10 | 9 | it's | say "hi"
tick` | semi;colon | eq=al&amp | plus+plus | #hash | what? | -- no | ünïcode | ÜNÏCODE | 鯨 | 🎏 | straße | STRASSE
{} | <b> | a,b | (x) | [1] | %41 | %zz | null | None | true | * | ..a | a.. | @alias
""") + ["é", "e\u0301", "back\\slash", "tab\there", "new\nline", "trailing "]
NAMES = [f"{RUN}-{ending}" for ending in NAME_ENDINGS]
LONGEST_NAME = RUN + "x" * (256 - RUN_LENGTH)
TOO_LONG_NAME = LONGEST_NAME + "x"
BAD_NAMES = split(". | .. | a/b | a:b | /a | ./a | a/../b | <run>/ | models:/<run>/1") + ["", " ", "\t\n", "\u00a0"]

KEYS = split("team | Team | stage | a b | a/b | a.b | x:y | k-1 | k_2 | ключ | 1 | validated | mlflow.note")
LONGEST_KEY = "k" * 250
BAD_KEYS = split(""". | .. | a//b | /a | a/ | ../a | a,b | a'b | a"b | a`b | a=b | 🎏""") + ["", "k" * 251, "a\nb"]

VALUES = split("""
risk | Risk | growth | true | false | True | 1 | 10 | 100% | 1000 | a_b | aXb | it's | say "hi" | 鯨 | ü | Ü
{"json": [1]} | NULL | semi;colon | -- no
""") + ["", "multi\nline", "  spaces  ", "back\\slash"]
LONG_VALUE = "v" * 4000
TOO_LONG_VALUE = "v" * 100_001

ALIASES = split("champion | Champion | challenger | prod_1 | a-b | 1 | _ | - | ünï | 鯨 | v1a | version1")
LONGEST_ALIAS = "a" * 255
BAD_ALIASES = split("latest | LATEST | v1 | V27 | a b | a.b | a/b | a@b | 🎏") + ["", "a" * 256, "e\u0301!", "a\n"]

DESCRIPTIONS = split("""who leaves | Ωμέγα 鯨 🎏 | "quoted" and </tags>""")
DESCRIPTIONS += ["", " ", "two\nlines", "back\\slash", "d" * 5000, "\u2028\u007f\u0001"]

RUN_IDS = ["0" * 31 + digit for digit in "123"] + ["not-a-run", "ABCDEF"]
LINKS = ["https://runs.example/1", "x", "", "http://localhost:1/#/experiments/0"]

SOURCES = split("""
s3://bucket/one | s3://bucket/two | S3://bucket/One | gs://bucket/100% | gs://bucket/a_b | dbfs:/data/aXb
s3://bucket/it's | s3://bucket/鯨 | wasbs://c@account.blob.core.windows.net/x | s3://bucket//x | s3://bucket/a b
""")
PROMPT_SOURCES = ["dummy-source", "prompt-template"]
BAD_SOURCES = split("""
/etc/passwd | file:///tmp/model | relative/path | ./x | s3://bucket/../x | s3://bucket/%2e%2e/x | s3://b/a%00 | .
http://host/../x | s3://bucket/./x | custom:opaque | hdfs:/a | https://host/model | ftp://host/x | mlflow-artifacts:/x
runs:/00000000000000000000000000000001/model | runs:/ | models:/ | models:/a/b/c | models://host/a/1 | models:/x@
models:/m-00000000000000000000000000000000 | mlflow-artifacts://host/x | file://host/x | models:/none of that name/1
http://host/api/2.0/mlflow-artifacts/artifacts/x | dummy-source | prompt-template | sftp://host/x | hdfs://h:1/x
""") + ["", " ", "C:\\models"]

# What Python's int() takes for a number, and what it does not.
ODD_VERSIONS = ["01", " 1", "1 ", "+1", "1_0", "-1", "0", "999", "2147483648"]
BAD_VERSIONS = ["", "x", "1.0", "1e0", "0x1", "v1", "latest", "None", "1,2", "--1", "1__0", "½"]

ODD_STAGES = ["none", "staging", "PRODUCTION", "aRCHIVED"]
BAD_STAGES = ["", "Deleted_Internal", "prod", " Staging", "Stagıng", "0"]

_REFUSED = {
    "name": BAD_NAMES,
    "new_name": BAD_NAMES,
    "key": BAD_KEYS,
    "alias": BAD_ALIASES,
    "stage": BAD_STAGES,
    "version": ODD_VERSIONS + BAD_VERSIONS,
}


def is_refused(fields: Mapping[str, object]) -> bool:
    """Whether one of the words makes a call fail, or do something nobody here keeps track of."""
    tags = [fields, *fields.get("tags", [])]
    return (
        any(fields.get(name) in words for name, words in _REFUSED.items())
        or any(tag.get("key") in BAD_KEYS or len(tag.get("value", "")) > 100_000 for tag in tags)
        or any("key" not in tag for tag in tags[1:])
    )
