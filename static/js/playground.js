// The playground: sends what the form says and shows the answer as it comes.
// Whatever a model says is set as text and never as markup.
(() => {
  const form = document.querySelector("form[data-playground]");
  if (!form) return;
  const find = (selector) => form.querySelector(selector);
  const turns = find("[data-turns]");
  const send = find("[data-send]");
  const stop = find("[data-stop]");
  const message = form.elements.namedItem("message");
  let running = null;

  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text) node.textContent = text;
    return node;
  };

  const hidden = (name, value) => {
    const input = make("input");
    input.type = "hidden";
    input.name = name;
    input.value = value;
    return input;
  };

  // A turn that is kept is sent with the next message.
  const keep = (turn, role, text) => turn.append(hidden("role", role), hidden("text", text));

  const add = (role, text) => {
    const turn = make("li", `turn ${role}`);
    turn.append(make("h3", "", role === "user" ? "You" : "Model"), make("p", "turn-text", text));
    turns.append(turn);
    find("[data-empty]").hidden = true;
    turn.scrollIntoView({ block: "nearest" });
    return turn;
  };

  const tell = (text, id) => {
    const place = find("[data-notice]");
    place.replaceChildren();
    if (!text) return;
    const box = make("div", "notice bad");
    box.setAttribute("role", "alert");
    const words = make("div");
    words.append(make("strong", "", "The call was not answered."), make("p", "", text));
    if (id && /^[0-9a-f-]{36}$/.test(id)) {
      const line = make("p", "links");
      line.append(make("span", "muted", `Request ${id}`));
      if (form.dataset.why) {
        const link = make("a", "link", "Why?");
        link.href = form.dataset.why + id;
        line.append(link);
      }
      words.append(line);
    }
    box.append(make("span"), words);
    place.append(box);
  };

  const used = async (usage, model) => {
    const place = find("[data-used]");
    place.textContent = "";
    if (!usage) return;
    const query = new URLSearchParams({
      model,
      input: usage.prompt_tokens ?? 0,
      output: usage.completion_tokens ?? 0,
      cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
      reasoning: usage.completion_tokens_details?.reasoning_tokens ?? 0,
    });
    try {
      const response = await fetch(`${form.dataset.cost}?${query}`);
      if (response.ok) place.textContent = await response.text();
    } catch {
      place.textContent = `${usage.prompt_tokens} tokens in, ${usage.completion_tokens} out`;
    }
  };

  // Reads one event; gives its failure, if it is one.
  const read = (data, state) => {
    if (data === "[DONE]") return null;
    const event = JSON.parse(data);
    if (event.error) return { text: event.error.message, id: event.request_id };
    if (event.usage) state.usage = event.usage;
    const delta = event.choices?.[0]?.delta;
    const more = delta?.content ?? "";
    if (more) {
      state.text += more;
      state.shown.textContent = state.text;
      state.shown.scrollIntoView({ block: "nearest" });
    }
    return null;
  };

  const follow = async (response, state) => {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return null;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (!line.startsWith("data:")) continue;
        const failure = read(line.slice(5).trim(), state);
        if (failure) return failure;
      }
    }
  };

  const ask = async (body, state) => {
    const response = await fetch(form.dataset.stream, { method: "POST", body, signal: running.signal });
    const kind = response.headers.get("Content-Type") ?? "";
    if (response.ok && kind.startsWith("text/event-stream")) return follow(response, state);
    if (kind.startsWith("application/json")) {
      const said = await response.json();
      return { text: said.error?.message ?? "No reason was given.", id: said.request_id };
    }
    return { text: "The console did not answer as it should. Load the page again; you may have to log on.", id: "" };
  };

  form.addEventListener("submit", async (event) => {
    if (event.submitter !== send && event.submitter !== null) return;
    event.preventDefault();
    const text = message.value;
    if (running || !text.trim()) {
      message.focus();
      return;
    }
    running = new AbortController();
    const body = new URLSearchParams(new FormData(form));
    const model = form.elements.namedItem("model").value;
    const question = add("user", text);
    const answer = add("assistant", "");
    const state = { text: "", usage: null, shown: answer.querySelector("p") };
    message.value = "";
    stop.hidden = false;
    send.disabled = true;
    tell("");
    find("[data-used]").textContent = "The model is answering …";
    let failure = null;
    try {
      failure = await ask(body, state);
    } catch (error) {
      failure = error.name === "AbortError" ? null : { text: "The connection broke off.", id: "" };
    }
    if (state.text) {
      keep(question, "user", text);
      keep(answer, "assistant", state.text);
    } else {
      answer.remove();
      question.remove();
      message.value = text;
      find("[data-empty]").hidden = turns.children.length > 0;
    }
    if (failure) tell(failure.text, failure.id);
    running = null;
    stop.hidden = true;
    send.disabled = false;
    message.focus();
    used(state.usage, model);
  });

  stop.addEventListener("click", () => running?.abort());

  message.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(send);
  });
})();
