"""The calls of the API that our server answers: a method each, named as in `kubeflow_server.ROUTES`."""

import json
from typing import TYPE_CHECKING, Any

import kfp_server_api

from tests.pipelines.cluster.package_checks import Refusal, uploaded

if TYPE_CHECKING:
    from tests.pipelines.cluster.kubeflow_server import Body, Handler


class Calls:
    """Answers for one request."""

    def __init__(self, request: "Handler") -> None:
        self.request, self.server, self.query = request, request.server, request.query

    def _listed(self, kind: str, key: str, **equal: str) -> "Body":
        """Those that match the filter (KFP's filter.proto), a page of them."""
        wanted = dict(equal)
        for predicate in json.loads(self.query.get("filter") or "{}").get("predicates", []):
            if predicate["operation"] not in ("EQUALS", 1) or predicate["key"] != "display_name":
                raise Refusal(400, f"unsupported predicate {predicate}")
            wanted["display_name"] = predicate["stringValue"]
        found = [thing for thing in self.server.things[kind].values() if all(thing.get(k, "") == v for k, v in wanted.items())]
        return {key: found, "total_size": len(found)} if found else {}

    def healthz(self) -> "Body":
        return {"multi_user": bool(self.server.namespaces)}

    def list_experiments(self) -> "Body":
        self.server.allowed(self.query.get("namespace", ""))
        return self._listed("experiments", "experiments", namespace=self.query.get("namespace", ""))

    def create_experiment(self) -> "Body":
        body = self.request.json(kfp_server_api.V2beta1Experiment, "display_name")
        self.server.allowed(body.get("namespace", ""))
        return self.server.add("experiments", {"namespace": "", **body})

    def list_pipelines(self) -> "Body":
        self.server.allowed(self.query.get("namespace", ""))
        return self._listed("pipelines", "pipelines", namespace=self.query.get("namespace", ""))

    def create_pipeline(self) -> "Body":
        body = self.request.json(kfp_server_api.V2beta1Pipeline, "display_name")
        self.server.allowed(body.get("namespace", ""))
        if any(one["display_name"] == body["display_name"] for one in self.server.things["pipelines"].values()):
            raise Refusal(409, "the pipeline exists")
        return self.server.add("pipelines", {"namespace": "", **body})

    def upload_version(self) -> "Body":
        pipeline = self.server.one("pipelines", self.query["pipelineid"])
        name = self.query["name"]
        if any(one["name"] == name for one in self.server.things["versions"].values()):
            raise Refusal(409, "the version exists")
        spec = uploaded(self.request.headers["Content-Type"], self.request.body)
        version = {"pipeline_id": pipeline["pipeline_id"], "name": name, "display_name": name, "pipeline_spec": spec}
        return self.server.add("versions", version)

    def list_versions(self, pipeline: str) -> "Body":
        self.server.one("pipelines", pipeline)
        return self._listed("versions", "pipeline_versions", pipeline_id=pipeline)

    def get_version(self, pipeline: str, version: str) -> "Body":
        self.server.one("pipelines", pipeline)
        return self.server.one("versions", version)

    def create_run(self) -> "Body":
        body = self.request.json(kfp_server_api.V2beta1Run, "display_name", "experiment_id", "pipeline_version_reference")
        self.server.version_of(body)
        return self.server.add("runs", {**body, "state": "PENDING"})

    def get_run(self, run: str) -> "Body":
        thing, story = self.server.one("runs", run), self.server.story
        now = story[min(self.server.looks, len(story) - 1)]
        self.server.looks += 1
        return {**thing, **now}

    def terminate_run(self, run: str) -> "Body":
        self.server.one("runs", run)["state"] = "CANCELING"
        return {}

    def list_recurring(self) -> "Body":
        return self._listed("recurring", "recurringRuns", experiment_id=self.query["experiment_id"])

    def create_recurring(self) -> "Body":
        body = self.request.json(
            kfp_server_api.V2beta1RecurringRun, "display_name", "experiment_id", "pipeline_version_reference", "trigger", "mode"
        )
        self.server.version_of(body)
        if not 1 <= int(body["max_concurrency"]) <= 10:
            raise Refusal(400, "The max concurrency of the recurring run is out of range. Support 1-10.")
        if len(body["trigger"]["cron_schedule"]["cron"].split()) != 6:
            raise Refusal(400, "Schedule cron is not a supported format")
        return self.server.add("recurring", {**body, "status": "ENABLED" if body["mode"] == "ENABLE" else "DISABLED"})

    def get_recurring(self, recurring: str) -> "Body":
        return self.server.one("recurring", recurring)

    def switch_recurring(self, recurring: str, way: str) -> Any:
        self.server.one("recurring", recurring).update(mode=way.upper(), status=f"{way.upper()}D")
        return {}

    def delete_recurring(self, recurring: str) -> Any:
        self.server.one("recurring", recurring)
        del self.server.things["recurring"][recurring]
        return {}
