"""Training files, trainings and deployments by the official DashScope SDK, as its manual says to use it."""
import json
import os
import tempfile
import time

import dashscope
from dashscope import Deployments, Files, FineTunes, Generation
from dashscope.common.error import InvalidFileFormat

dashscope.base_http_api_url = os.environ["BASE"]
dashscope.api_key = os.environ["KEY"]
here = {"workspace": os.environ["WORKSPACE"]}
folder = tempfile.mkdtemp()


def good(r):
    assert r.status_code == 200, r
    assert r.request_id, r
    return r


def refused(status, code, r):
    assert (r.status_code, r.code) == (status, code), r
    assert r.message and r.request_id, r
    assert not getattr(r, "output", None), r


def written(name, lines):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    return path


def example(n):
    return json.dumps({"messages": [{"role": "user", "content": f"What is {n}?"}, {"role": "assistant", "content": "A number."}]})


def until(what, ask):
    for _ in range(600):
        r = good(ask())
        if r.output.status == what:
            return r
        assert r.output.status not in ("FAILED", "CANCELED", "STOPPED"), r
        time.sleep(0.1)
    raise AssertionError(f"never {what}: {r}")


# Files
r = good(Files.upload(file_path=written("desk.jsonl", [example(n) for n in range(12)]), description="the desk", **here))
assert len(r.output["uploaded_files"]) == 1 and not r.output["failed_uploads"], r
assert r.output["uploaded_files"][0]["name"] == "desk.jsonl", r
data = r.output["uploaded_files"][0]["file_id"]
r = good(Files.list(page=1, page_size=10, **here))
assert [f["file_id"] for f in r.output["files"]] == [data] and r.output["total"] == 1, r
r = good(Files.get(data, **here))
assert (r.output["name"], r.output["description"]) == ("desk.jsonl", "the desk") and r.output["size"] > 500, r
try:
    Files.upload(file_path=written("bad.jsonl", ["not JSON"]), **here)
    raise AssertionError("a bad file was uploaded")
except InvalidFileFormat:
    pass
# with another purpose the SDK does not look at it, and the server does
refused(400, "InvalidParameter", Files.upload(file_path=written("bad.jsonl", ["not JSON"]), purpose="inference", **here))
refused(400, "InvalidParameter", Files.get("file-ft-0000000000000000", **here))
refused(400, "InvalidParameter", Files.delete("file-ft-0000000000000000", **here))
refused(401, "InvalidApiKey", Files.list(api_key="sk-nothing", **here))
refused(403, "Workspace.AccessDenied", Files.list(workspace=os.environ["OTHER"]))

# Fine-tunes
refused(403, "Model.AccessDenied", FineTunes.call(model="qwen-plus", training_file_ids=[data], mode="sft", **here))
refused(404, "ModelNotFound", FineTunes.call(model="no-such-model", training_file_ids=[data], mode="sft", **here))
refused(400, "InvalidParameter", FineTunes.call(model="qwen-demo", training_file_ids=[data], mode="strange", **here))
refused(400, "InvalidParameter", FineTunes.call(model="qwen-demo", training_file_ids=[data], mode="sft", hyper_parameters={"n_epochs": -1}, **here))
refused(400, "InvalidParameter", FineTunes.call(model="qwen-demo", training_file_ids=["file-ft-0000000000000000"], mode="sft", **here))
refused(401, "InvalidApiKey", FineTunes.list(api_key="sk-nothing", **here))
refused(403, "Workspace.AccessDenied", FineTunes.list(workspace=os.environ["OTHER"]))
for act in (FineTunes.get, FineTunes.cancel, FineTunes.delete, FineTunes.logs):
    refused(404, "NotFound", act("ft-000000000000-0000", **here))
for r in FineTunes.stream_events("ft-000000000000-0000", **here):
    refused(404, "NotFound", r)

r = good(FineTunes.call(model="qwen-demo", training_file_ids=data, mode="sft", hyper_parameters={"n_epochs": 3}, finetuned_output="sdk", **here))
job = r.output.job_id
assert r.output.base_model == "qwen-demo" and r.output.training_file_ids == [data] and r.output.training_type == "sft", r
events = [good_event.output for good_event in FineTunes.stream_events(job, **here)]
assert events, "no events"
r = until("SUCCEEDED", lambda: FineTunes.get(job, **here))
tuned = r.output.finetuned_output
assert tuned and r.output.usage > 0 and r.output.end_time, r
assert good(FineTunes.logs(job, offset=1, line=1000, **here)).output["logs"], "no logs"
r = good(FineTunes.list(page_no=1, page_size=10, **here))
assert [j.job_id for j in r.output.jobs] == [job] and r.output.total == 1, r
refused(400, "UnsupportedOperation", FineTunes.cancel(job, **here))  # it is over

r = good(FineTunes.call(model="qwen-demo", training_file_ids=data, mode="sft", hyper_parameters={"n_epochs": 100}, **here))
second = r.output.job_id
good(FineTunes.cancel(second, **here))
for _ in range(600):
    if good(FineTunes.get(second, **here)).output.status == "CANCELED":
        break
    time.sleep(0.1)
good(FineTunes.delete(second, **here))
refused(404, "NotFound", FineTunes.get(second, **here))

# Deployments
refused(403, "Model.AccessDenied", Deployments.call(model="qwen-plus", capacity=1, **here))
refused(404, "ModelNotFound", Deployments.call(model="no-such-model", capacity=1, **here))
refused(400, "InvalidParameter", Deployments.call(model=tuned, capacity=1000, **here))
refused(400, "InvalidParameter", Deployments.call(model=tuned, capacity=1, suffix="Not/so", **here))
refused(401, "InvalidApiKey", Deployments.call(model=tuned, capacity=1, api_key="sk-nothing", **here))
refused(403, "Workspace.AccessDenied", Deployments.call(model=tuned, capacity=1, workspace=os.environ["OTHER"]))
for act in (Deployments.get, Deployments.delete):
    refused(404, "NotFound", act("no-such-deployment", **here))
refused(404, "NotFound", Deployments.scale("no-such-deployment", 2, **here))

r = good(Deployments.call(model=tuned, capacity=1, suffix="up", **here))
name = r.output.deployed_model
assert r.output.model_name == tuned and r.output.base_model == "qwen-demo" and r.output.workspace_id == here["workspace"], r
until("RUNNING", lambda: Deployments.get(name, **here))
r = good(Deployments.list(page_no=1, page_size=10, **here))
assert [d.deployed_model for d in r.output.deployments] == [name] and r.output.total == 1, r
r = good(Generation.call(model=name, prompt="What is 3?", **here))
assert r.output.text, r
good(Deployments.scale(name, 2, **here))
r = until("RUNNING", lambda: Deployments.get(name, **here))
assert r.output.capacity == 2, r
good(Deployments.delete(name, **here))
for _ in range(600):
    r = Deployments.get(name, **here)
    if r.status_code != 200:
        break
    time.sleep(0.1)
refused(404, "NotFound", r)
refused(404, "ModelNotFound", Generation.call(model=name, prompt="Hello", **here))

good(FineTunes.delete(job, **here))
good(Files.delete(data, **here))
refused(400, "InvalidParameter", Files.get(data, **here))
print("trained and deployed as the manual says, with", dashscope.version.__version__)
