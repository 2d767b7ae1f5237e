"""The official DashScope SDK, as its manual says to use it, against the program."""
import asyncio
import os

import dashscope
from dashscope import Generation, Models, MultiModalConversation, TextEmbedding, TextReRank
from dashscope.aigc.generation import AioGeneration

dashscope.base_http_api_url = os.environ["BASE"]
dashscope.api_key = os.environ["KEY"]
workspace = os.environ["WORKSPACE"]
messages = [{"role": "user", "content": "Hello"}]


def good(r):
    assert r.status_code == 200, r
    assert r.request_id, r
    return r


r = good(Generation.call(model="qwen-turbo", messages=messages, result_format="message", workspace=workspace))
assert r.output.choices[0].message.content == "Hello, world!", r
assert r.output.choices[0].finish_reason == "stop", r
assert (r.usage.input_tokens, r.usage.output_tokens, r.usage.total_tokens) == (7, 4, 11), r

r = good(Generation.call(model="qwen-turbo", prompt="Hello", workspace=workspace))
assert r.output.text == "Hello, world!", r

said = ""
for r in Generation.call(model="qwen-turbo", messages=messages, result_format="message", stream=True, incremental_output=True, workspace=workspace):
    said += good(r).output.choices[0].message.content
assert said == "Hello, world!", said
assert r.usage.total_tokens == 11, r
grown = [good(r).output.choices[0].message.content for r in Generation.call(
    model="qwen-turbo", messages=messages, result_format="message", stream=True, workspace=workspace)]
assert grown[-1] == "Hello, world!" and all(b.startswith(a) for a, b in zip(grown, grown[1:])), grown

tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
r = good(Generation.call(model="qwen-turbo", messages=messages, tools=tools, result_format="message", workspace=workspace))
assert r.output.choices[0].message.tool_calls[0]["function"]["name"] == "f", r

streamed = [good(r).output.choices[0] for r in Generation.call(
    model="qwen-turbo", messages=messages, tools=tools, result_format="message", stream=True, incremental_output=True, workspace=workspace)]
called = [c["function"] for s in streamed for c in s.message.get("tool_calls") or []]
assert "".join(c.get("name") or "" for c in called) == "f" and "".join(c.get("arguments") or "" for c in called) == '{"a":1}', streamed
assert streamed[-1].finish_reason == "tool_calls", streamed

r = good(MultiModalConversation.call(model="qwen-vl", workspace=workspace, messages=[
    {"role": "user", "content": [{"image": "https://example.com/a.png"}, {"text": "What?"}]}]))
assert r.output.choices[0].message.content[0]["text"] == "Hello, world!", r
parts = ""
for r in MultiModalConversation.call(model="qwen-vl", workspace=workspace, stream=True, incremental_output=True, messages=[
        {"role": "user", "content": [{"text": "What?"}]}]):
    for part in good(r).output.choices[0].message.content:
        parts += part.get("text", "")
assert parts == "Hello, world!", parts

r = good(TextEmbedding.call(model="text-embedding", input=["a", "b"], workspace=workspace))
assert [e["text_index"] for e in r.output["embeddings"]] == [0, 1], r
assert r.output["embeddings"][1]["embedding"] == [0.5, -0.25, 0], r

r = good(TextReRank.call(model="text-rerank", query="q", documents=["a", "b"], top_n=2, return_documents=True, workspace=workspace))
assert len(r.output.results) == 2 and {x.index for x in r.output.results} == {0, 1}, r

r = good(Models.list(page=1, page_size=50, workspace=workspace))
names = [m["model"] for m in r.output["models"]]
assert "qwen-turbo" in names and "qwen-plus" not in names, names
assert good(Models.get("qwen-turbo", workspace=workspace)).output["model"] == "qwen-turbo"
assert Models.get("qwen-plus", workspace=workspace).status_code == 404


async def later():
    r = good(await AioGeneration.call(model="qwen-turbo", messages=messages, result_format="message", workspace=workspace))
    assert r.output.choices[0].message.content == "Hello, world!", r

asyncio.run(later())


def refused(status, code, r):
    assert (r.status_code, r.code) == (status, code), r
    assert r.message and r.request_id, r


def ask(model, **more):
    says = [{"role": "user", "content": more.pop("says", "Hello")}]
    return Generation.call(model=model, messages=says, result_format="message", **{"workspace": workspace, **more})


def see(model, **more):
    return MultiModalConversation.call(model=model, messages=[{"role": "user", "content": [{"text": "What?"}]}], **{"workspace": workspace, **more})


def embed(model, **more):
    return TextEmbedding.call(model=model, input="a", **{"workspace": workspace, **more})


def rank(model, **more):
    return TextReRank.call(model=model, query="q", documents=["a"], **{"workspace": workspace, **more})


# every refusal at every service
for service, right in ((ask, "qwen-turbo"), (see, "qwen-vl"), (embed, "text-embedding"), (rank, "text-rerank")):
    good(service(right))
    refused(403, "Model.AccessDenied", service("qwen-plus"))
    refused(404, "ModelNotFound", service("no-such-model"))
    refused(401, "InvalidApiKey", service(right, api_key="sk-nothing"))
    refused(403, "Workspace.AccessDenied", service(right, workspace="llm-0000000000000000"))
    refused(403, "Workspace.AccessDenied", service(right, workspace=os.environ["OTHER"]))
    refused(400, "InvalidParameter", service("text-rerank" if service is embed else "text-embedding"))  # another kind of model
refused(400, "InvalidParameter", see("qwen-vl", top_p=2))
refused(400, "InvalidParameter", embed("text-embedding", text_type="query"))  # the provider here has no word for it
refused(401, "InvalidApiKey", Models.list(api_key="sk-nothing", workspace=workspace))
refused(403, "Workspace.AccessDenied", Models.list(workspace=os.environ["OTHER"]))

refused(400, "InvalidParameter", ask("qwen-turbo", max_tokens=-1))
refused(503, "ModelUnavailable", ask("qwen-orphan"))
refused(429, "Throttling.RateQuota", ask("qwen-turbo", says="too-fast"))
for r in ask("qwen-plus", stream=True):
    refused(403, "Model.AccessDenied", r)
last = None
for last in ask("qwen-turbo", stream=True, says="dies"):
    pass
assert last.status_code >= 400 and last.code == "ModelServingError", last  # the SDK reads no :HTTP_STATUS/503
print("everything as the manual says, with", dashscope.version.__version__)
