"""The model registry: models, versions, aliases, tags, stages, searches, and every error it has a name for."""

from __future__ import annotations

from support.differential import Call

MODELS = "/api/2.0/mlflow/registered-models"
VERSIONS = "/api/2.0/mlflow/model-versions"
SOURCE = "s3://bucket/models/fraud"
LONG_TEXT = "x" * 4000


def _model(name: str, method: str, path: str, body: object, expect: int = 200) -> Call:
    return Call(name, method, MODELS + path, body=body, expect=expect)


def _version(name: str, method: str, path: str, body: object, expect: int = 200) -> Call:
    return Call(name, method, VERSIONS + path, body=body, expect=expect)


def _find_models(name: str, *query: tuple[str, object], expect: int = 200, **more: object) -> Call:
    return Call(f"search models: {name}", "GET", f"{MODELS}/search", query=query, expect=expect, **more)


def _find_versions(name: str, *query: tuple[str, object], expect: int = 200) -> Call:
    return Call(f"search versions: {name}", "GET", f"{VERSIONS}/search", query=query, expect=expect)


MODEL_CALLS = [
    _find_models("nothing there yet"),
    _model("create model", "POST", "/create", {"name": "fraud"}),
    _model(
        "create model with everything",
        "POST",
        "/create",
        {"name": "churn", "description": "who leaves", "tags": [{"key": "team", "value": "growth"}]},
    ),
    _model("create model: unicode", "POST", "/create", {"name": "modèle 鯨 🎏", "description": "Ωμέγα"}),
    _model("create model: spaces and signs", "POST", "/create", {"name": "a b+c%20&d=e"}),
    _model("create model: unknown field", "POST", "/create", {"name": "extra", "colour": "red"}),
    _model("create model: exists", "POST", "/create", {"name": "fraud"}, 400),
    _model("create model: name missing", "POST", "/create", {}, 400),
    _model("create model: name empty", "POST", "/create", {"name": ""}, 400),
    _model("create model: name a number", "POST", "/create", {"name": 7}, 400),
    _model("create model: slash in name", "POST", "/create", {"name": "a/b"}, 400),
    _model("create model: colon in name", "POST", "/create", {"name": "a:b"}, 400),
    _model("create model: tags of wrong type", "POST", "/create", {"name": "t", "tags": "x"}, 400),
    _model("create model: body is a list", "POST", "/create", [1], 500),
    _model("create model: long description", "POST", "/create", {"name": "long", "description": LONG_TEXT}),
    Call("get model", "GET", f"{MODELS}/get", query=[("name", "churn")]),
    Call("get model: unicode", "GET", f"{MODELS}/get", query=[("name", "modèle 鯨 🎏")]),
    Call("get model: plus and percent", "GET", f"{MODELS}/get", query="name=a+b%2Bc%2520%26d%3De"),
    Call("get model: name twice", "GET", f"{MODELS}/get", query="name=fraud&name=churn"),
    Call("get model: none of that name", "GET", f"{MODELS}/get", query=[("name", "none")], expect=404),
    Call("get model: no name", "GET", f"{MODELS}/get", expect=400),
    Call("get model: by POST", "POST", f"{MODELS}/get", body={"name": "churn"}, expect=405),
    _model("update model", "PATCH", "/update", {"name": "churn", "description": "who left"}),
    _model("update model: clears description", "PATCH", "/update", {"name": "churn"}),
    _model("update model: none", "PATCH", "/update", {"name": "none", "description": "x"}, 404),
    _model("rename model", "POST", "/rename", {"name": "extra", "new_name": "spare"}),
    _model("rename model: onto another", "POST", "/rename", {"name": "spare", "new_name": "fraud"}, 400),
    _model("rename model: new name missing", "POST", "/rename", {"name": "spare"}, 400),
    _model("set model tag", "POST", "/set-tag", {"name": "fraud", "key": "team", "value": "risk"}),
    _model("set model tag: no value", "POST", "/set-tag", {"name": "fraud", "key": "empty"}),
    _model("set model tag: odd key", "POST", "/set-tag", {"name": "fraud", "key": "a.b/c-d e", "value": "1"}),
    _model("set model tag: key missing", "POST", "/set-tag", {"name": "fraud", "value": "x"}, 400),
    _model("set model tag: no such model", "POST", "/set-tag", {"name": "none", "key": "k", "value": "v"}, 404),
    _model("delete model tag", "DELETE", "/delete-tag", {"name": "fraud", "key": "empty"}),
    _model("delete model tag: absent", "DELETE", "/delete-tag", {"name": "fraud", "key": "absent"}),
]

VERSION_CALLS = [
    _version("create version 1", "POST", "/create", {"name": "fraud", "source": SOURCE + "/1"}),
    _version(
        "create version 2 with everything",
        "POST",
        "/create",
        {
            "name": "fraud",
            "source": SOURCE + "/2",
            "description": "better",
            "run_link": "http://example.com/run",
            "tags": [{"key": "auc", "value": "0.91"}, {"key": "auc2", "value": "ü"}],
        },
    ),
    _version("create version 3", "POST", "/create", {"name": "fraud", "source": SOURCE + "/3"}),
    _version("create version of another model", "POST", "/create", {"name": "churn", "source": SOURCE}),
    _version("create version: no model", "POST", "/create", {"name": "none", "source": SOURCE}, 404),
    _version("create version: no source", "POST", "/create", {"name": "fraud"}, 400),
    _version("create version: local source", "POST", "/create", {"name": "fraud", "source": "/etc/passwd"}, 400),
    _version("create version: dots", "POST", "/create", {"name": "fraud", "source": "s3://b/../../x"}, 400),
    _version("create version: no such run", "POST", "/create", {"name": "fraud", "source": SOURCE, "run_id": "0"}),
    Call("get version", "GET", f"{VERSIONS}/get", query=[("name", "fraud"), ("version", 2)]),
    Call("get version: none", "GET", f"{VERSIONS}/get", query=[("name", "fraud"), ("version", 99)], expect=404),
    Call("get version: not a number", "GET", f"{VERSIONS}/get", query="name=fraud&version=two", expect=400),
    Call("get version: no version", "GET", f"{VERSIONS}/get", query="name=fraud", expect=400),
    Call("get download uri", "GET", f"{VERSIONS}/get-download-uri", query="name=fraud&version=1"),
    Call("get download uri: none", "GET", f"{VERSIONS}/get-download-uri", query="name=fraud&version=77", expect=404),
    _version("update version", "PATCH", "/update", {"name": "fraud", "version": "1", "description": "first"}),
    _version("update version: number", "PATCH", "/update", {"name": "fraud", "version": 1, "description": "n"}, 400),
    _version("set version tag", "POST", "/set-tag", {"name": "fraud", "version": "1", "key": "ok", "value": "yes"}),
    _version("set version tag: empty", "POST", "/set-tag", {"name": "fraud", "version": "1", "key": "e", "value": ""}),
    _version("delete version tag", "DELETE", "/delete-tag", {"name": "fraud", "version": "1", "key": "e"}),
    _version("delete version tag: absent", "DELETE", "/delete-tag", {"name": "fraud", "version": "1", "key": "zz"}),
    _version("stage", "POST", "/transition-stage", {"name": "fraud", "version": "1", "stage": "Staging"}),
    _version(
        "stage, archiving others",
        "POST",
        "/transition-stage",
        {"name": "fraud", "version": "2", "stage": "staging", "archive_existing_versions": True},
    ),
    _version("stage: unknown", "POST", "/transition-stage", {"name": "fraud", "version": "1", "stage": "Moon"}, 400),
    _version(
        "stage: archive with None",
        "POST",
        "/transition-stage",
        {"name": "fraud", "version": "1", "stage": "None", "archive_existing_versions": True},
        500,
    ),
    _model("latest versions by POST", "POST", "/get-latest-versions", {"name": "fraud"}),
    _model("latest versions of stages", "POST", "/get-latest-versions", {"name": "fraud", "stages": ["Staging"]}),
    Call(
        "latest versions by GET", "GET", f"{MODELS}/get-latest-versions", query="name=fraud&stages=None&stages=Staging"
    ),
    Call("latest versions: none", "GET", f"{MODELS}/get-latest-versions", query="name=none", expect=404),
]

ALIAS_CALLS = [
    _model("set alias", "POST", "/alias", {"name": "fraud", "alias": "champion", "version": "2"}),
    _model("set second alias", "POST", "/alias", {"name": "fraud", "alias": "challenger-2", "version": "3"}),
    _model("move alias", "POST", "/alias", {"name": "fraud", "alias": "champion", "version": "3"}),
    _model("set alias: unicode", "POST", "/alias", {"name": "fraud", "alias": "größe", "version": "1"}),
    _model("set alias: reserved", "POST", "/alias", {"name": "fraud", "alias": "latest", "version": "1"}, 400),
    _model("set alias: looks like version", "POST", "/alias", {"name": "fraud", "alias": "v3", "version": "1"}, 400),
    _model("set alias: bad sign", "POST", "/alias", {"name": "fraud", "alias": "a b", "version": "1"}, 400),
    _model("set alias: no such version", "POST", "/alias", {"name": "fraud", "alias": "x", "version": "88"}, 404),
    _model("set alias: no version", "POST", "/alias", {"name": "fraud", "alias": "x"}, 400),
    Call("get alias", "GET", f"{MODELS}/alias", query="name=fraud&alias=champion"),
    Call("get alias: latest", "GET", f"{MODELS}/alias", query="name=fraud&alias=latest"),
    Call("get alias: absent", "GET", f"{MODELS}/alias", query="name=fraud&alias=absent", expect=400),
    Call("get alias: no model", "GET", f"{MODELS}/alias", query="name=none&alias=champion", expect=404),
    Call("get alias: unicode", "GET", f"{MODELS}/alias", query=[("name", "fraud"), ("alias", "größe")]),
    Call(
        "get alias by ajax-api",
        "GET",
        "/ajax-api/2.0/mlflow/registered-models/alias",
        query="name=fraud&alias=champion",
    ),
    _model("delete alias", "DELETE", "/alias", {"name": "fraud", "alias": "challenger-2"}),
    _model("delete alias: absent", "DELETE", "/alias", {"name": "fraud", "alias": "absent"}),
    _model("delete alias: no body", "DELETE", "/alias", None, 400),
    _version("delete version", "DELETE", "/delete", {"name": "fraud", "version": "4"}),
    _version("delete version: again", "DELETE", "/delete", {"name": "fraud", "version": "4"}, 404),
    _version("create version after delete", "POST", "/create", {"name": "fraud", "source": SOURCE + "/5"}),
]

SEARCH_CALLS = [
    _find_models("all"),
    _find_models("first page", ("max_results", 2), bind={"page": "next_page_token"}),
    Call("search models: second page", "GET", f"{MODELS}/search", query="max_results=2&page_token=<page>"),
    _find_models("bad token", ("page_token", "rubbish"), expect=400),
    _find_models("zero results", ("max_results", 0)),
    _find_models("too many results", ("max_results", 1001), expect=400),
    _find_models("results not a number", ("max_results", "many"), expect=400),
    _find_models("by name", ("filter", "name = 'fraud'")),
    _find_models("LIKE", ("filter", "name LIKE 'f%'")),
    _find_models("ILIKE", ("filter", "name ILIKE 'FR%'")),
    _find_models("by tag", ("filter", "tags.team = 'risk'")),
    _find_models("by odd tag", ("filter", "tags.`a.b/c-d e` = '1'")),
    _find_models("OR is refused", ("filter", "name = 'a' OR name = 'b'"), expect=400),
    _find_models("unknown attribute", ("filter", "colour = 'red'"), expect=400),
    _find_models("unquoted value", ("filter", "name = fraud"), expect=400),
    _find_models("two orders", ("order_by", "last_updated_timestamp ASC"), ("order_by", "name DESC")),
    _find_models("bad order", ("order_by", "colour"), expect=400),
    _find_versions("all"),
    _find_versions("by name", ("filter", "name='fraud'")),
    _find_versions("by number", ("filter", "name='fraud' AND version_number >= 2"), ("order_by", "version_number ASC")),
    _find_versions("by source", ("filter", "source_path LIKE 's3://bucket/%'")),
    _find_versions("by tag", ("filter", "tags.auc = '0.91'")),
    _find_versions("by runs", ("filter", "run_id IN ('a','b')")),
    _find_versions("page", ("max_results", 1), ("order_by", "name DESC"), ("order_by", "version_number DESC")),
    _find_versions("broken filter", ("filter", "name ="), expect=400),
]

CALLS = [
    *MODEL_CALLS,
    *VERSION_CALLS,
    *ALIAS_CALLS,
    *SEARCH_CALLS,
    _model("delete model", "DELETE", "/delete", {"name": "spare"}),
    _model("delete model: again", "DELETE", "/delete", {"name": "spare"}, 404),
    _model("delete model: no name", "DELETE", "/delete", {}, 400),
]
