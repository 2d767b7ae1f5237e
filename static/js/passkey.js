// Passkeys: asks the browser for one and sends the form with its answer. Nothing
// here knows a screen; a [data-passkey] box says what to ask for.
(() => {
  const able = typeof PublicKeyCredential === "function" && "parseRequestOptionsFromJSON" in PublicKeyCredential;
  const acts = {
    create: (options) => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
    get: (options) => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
  };

  const dress = () => {
    if (!able) return;
    for (const box of document.querySelectorAll("[data-passkey]")) {
      box.querySelector("button").hidden = false;
      box.querySelector("[data-passkey-off]").hidden = true;
    }
  };

  const ask = async (box) => {
    const wrong = box.querySelector("[data-passkey-wrong]");
    wrong.hidden = true;
    try {
      const answer = await acts[box.dataset.passkey](JSON.parse(box.dataset.options));
      box.querySelector("input").value = JSON.stringify(answer.toJSON());
      box.closest("form").requestSubmit();
    } catch (error) {
      wrong.textContent =
        error.name === "InvalidStateError"
          ? "There is a passkey of yours in it already."
          : "The browser gave no passkey. It was cancelled, took too long, or there is none for this address.";
      wrong.hidden = false;
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-passkey] button");
    if (button) ask(button.closest("[data-passkey]"));
  });
  // Enter in a field beside the button that makes a passkey means that button.
  document.addEventListener("submit", (event) => {
    const box = event.target.querySelector?.('[data-passkey="create"]');
    if (!able || !box || box.querySelector("input").value) return;
    event.preventDefault();
    ask(box);
  });
  document.addEventListener("htmx:after:swap", dress);
  dress();
})();
