// The console's glue. Pages work without it; it makes dialogs modal, opens the
// account menu on hover, copies, and tells what happened. Elements ask for it
// by data attributes; nothing here knows a screen.
(() => {
  const root = document.documentElement;
  const find = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // ---- saying things

  const announce = (text) => {
    const live = find("#live");
    if (live) live.textContent = live.textContent === text ? `${text}\u00a0` : text;
  };

  // A modal dialog makes the rest of the page inert and covers it, so messages
  // move into the topmost one.
  const topDialog = () => all("dialog[open]").filter((d) => d.matches(":modal")).at(-1);

  const lift = () => {
    const place = topDialog() ?? document.body;
    for (const id of ["live", "toasts"]) {
      const part = document.getElementById(id);
      if (part && part.parentElement !== place) place.append(part);
    }
  };

  const say = (text) => {
    lift();
    const toast = document.createElement("p");
    toast.className = "toast";
    toast.textContent = text;
    find("#toasts")?.replaceChildren(toast);
    fade(toast);
  };

  const fade = (toast) => setTimeout(() => toast.remove(), 7000);

  // ---- dialogs

  const openers = new WeakMap(); // dialog -> what had the focus before it
  const pushed = new WeakSet(); // dialogs whose opening changed the address
  let lastOpener = null;
  let leaving = false; // closing a panel goes back; the page needs no reload then

  const show = (dialog, fresh) => {
    const active = document.activeElement;
    const again = fresh && (!active || active === document.body);
    if (!again && fresh) lastOpener = active;
    openers.set(dialog, fresh ? lastOpener : null);
    dialog.dataset.fresh = fresh;
    dialog.classList.toggle("still", again || !fresh);
    dialog.removeAttribute("open"); // it lies open for those without scripts
    dialog.showModal();
    dialog.addEventListener("close", () => closed(dialog), { once: true });
    if (fresh && dialog.dataset.url && location.pathname === new URL(dialog.dataset.url, location).pathname) pushed.add(dialog);
    lift();
    document.dispatchEvent(new CustomEvent("console:shown", { detail: dialog }));
  };

  const closed = (dialog) => {
    lift();
    if (dialog.dataset.fresh === "false" && dialog.dataset.back) {
      location.assign(dialog.dataset.back);
      return;
    }
    const opener = openers.get(dialog);
    if (pushed.has(dialog)) {
      leaving = true;
      history.back();
    }
    setTimeout(() => dialog.remove(), 300); // after it has faded
    const active = document.activeElement;
    if (active && active !== document.body && !dialog.contains(active)) return;
    const target = opener?.isConnected ? opener : opener?.id && document.getElementById(opener.id);
    (target || find("#main"))?.focus();
  };

  const showAll = (fresh) => all("dialog[data-dialog]:not(:modal)").filter((d) => d.open).forEach((d) => show(d, fresh));

  // ---- answers to scripted requests

  const read = () => {
    const news = find("#news [data-toast]");
    if (!news) return;
    news.remove();
    if (news.hasAttribute("data-done")) topDialog()?.close();
    say(news.textContent);
  };

  // The swap may take away the dialog in which the messages stand.
  document.addEventListener("htmx:before:swap", () => {
    for (const id of ["live", "toasts"]) document.body.append(document.getElementById(id));
  });

  document.addEventListener("htmx:after:swap", () => {
    showAll(true);
    lift();
    read();
    dress();
  });

  document.addEventListener("htmx:after:settle", (event) => {
    const summary = event.target.querySelector?.("[data-summary], .empty h2");
    if (summary) announce(summary.textContent);
  });

  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.response) return; // it was answered; something else failed
    say("The console could not be reached. Nothing was changed.");
  });

  // Going back from a panel leaves the list behind it as it is.
  document.addEventListener("htmx:before:history:restore", (event) => {
    const panel = all("dialog[data-url]:modal").at(-1);
    if (leaving) {
      leaving = false;
      event.preventDefault();
    } else if (panel && pushed.has(panel)) {
      event.preventDefault();
      pushed.delete(panel); // its address is left already
      all("dialog:modal").reverse().forEach((d) => d.close());
    }
  });

  // ---- clicks

  const copy = async (button) => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.classList.add("copied");
      announce("Copied");
      setTimeout(() => button.classList.remove("copied"), 1600);
    } catch {
      say("The browser did not allow copying. Select the text instead.");
    }
  };

  const isDark = () => {
    const chosen = root.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };

  const turn = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // It holds for this page at least.
    }
    dress();
  };

  // What a page needs that has just come, whole or in part.
  const dress = () => {
    all("[data-theme-toggle]").forEach((b) => b.setAttribute("aria-pressed", String(isDark())));
    all("[data-hover-menu]:not(.hovers)").forEach(hover);
  };

  // A preset ticks exactly its own boxes of the form.
  const preset = (button) => {
    const wanted = button.dataset.ticks.split(" ");
    const boxes = [...button.form.elements].filter((e) => e.type === "checkbox" && e.name === "page");
    boxes.forEach((box) => (box.checked = wanted.includes(box.value)));
    announce(`${boxes.filter((box) => box.checked).length} of ${boxes.length} ticked`);
  };

  // A search field narrows the list it names, here and now.
  const narrow = (field) => {
    const words = field.value.trim().toLowerCase().split(/\s+/);
    const items = [...document.getElementById(field.dataset.narrows).children];
    items.forEach((item) => (item.hidden = !words.every((word) => item.textContent.toLowerCase().includes(word))));
    announce(`${items.filter((item) => !item.hidden).length} of ${items.length} shown`);
  };

  document.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-narrows]")) narrow(event.target);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches?.("[data-narrows]")) event.preventDefault(); // it would send the form
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy], [data-close], [data-theme-toggle], [data-ticks]");
    if (!button) return;
    if (button.matches("[data-copy]")) copy(button);
    else if (button.matches("[data-ticks]")) preset(button);
    else if (button.matches("[data-theme-toggle]")) turn();
    else if (button.closest("dialog")?.matches(":modal")) {
      event.preventDefault();
      button.closest("dialog").close();
    }
  });

  // ---- the menu that opens on hover

  const hover = (box) => {
    box.classList.add("hovers");
    const button = find("[popovertarget]", box);
    const menu = find("[popover]", box);
    let timer;
    let hovered = false;
    const later = (ms, act) => {
      clearTimeout(timer);
      timer = setTimeout(act, ms);
    };
    box.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "mouse") return;
      later(60, () => {
        if (menu.matches(":popover-open")) return;
        hovered = true;
        menu.showPopover({ source: button });
      });
    });
    box.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "mouse") return;
      later(250, () => {
        if (hovered && !menu.contains(document.activeElement)) menu.hidePopover();
      });
    });
    // A click on what hovering opened keeps it open instead of closing it.
    button.addEventListener("click", (event) => {
      if (!hovered || !menu.matches(":popover-open")) return;
      event.preventDefault();
      hovered = false;
    });
    menu.addEventListener("toggle", (event) => {
      if (event.newState === "closed") hovered = false;
    });
  };

  // ---- sending a file

  // A form with data-upload is sent with its progress shown; the answer takes the
  // place of the part that it names.
  const upload = (form) => {
    const place = document.getElementById(form.dataset.upload);
    const box = find("[data-upload-progress]", form);
    const bar = find("progress", box);
    const words = find("[data-upload-words]", box);
    const buttons = all("button[type=submit]", form);
    const file = find("input[type=file]", form).files[0];
    if (file && file.size > Number(form.dataset.most)) {
      say(`${file.name} is larger than ${form.dataset.mostText}.`);
      return;
    }
    const request = new XMLHttpRequest();
    const ended = (text) => {
      box.hidden = true;
      buttons.forEach((b) => (b.disabled = false));
      if (text) say(text);
    };
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      bar.value = (100 * event.loaded) / event.total;
      words.textContent = event.loaded < event.total ? `Uploading… ${Math.floor(bar.value)} %` : "Checking…";
    });
    request.addEventListener("load", () => {
      const to = request.getResponseHeader("HX-Redirect");
      if (to) {
        location.assign(to);
        return;
      }
      ended();
      const answer = new DOMParser().parseFromString(request.responseText, "text/html");
      const fresh = answer.getElementById(place.id);
      if (!fresh) {
        say(find("h1, h2", answer)?.textContent ?? "The file could not be uploaded.");
        return;
      }
      place.replaceWith(document.importNode(fresh, true));
      find("[aria-invalid=true]", document.getElementById(place.id))?.focus();
      const note = find(".note.bad", document.getElementById(place.id));
      if (note) announce(note.textContent.trim());
    });
    request.addEventListener("error", () => ended("The upload broke off. Nothing was kept."));
    request.addEventListener("abort", () => ended());
    words.textContent = "Uploading…";
    bar.value = 0;
    box.hidden = false;
    buttons.forEach((b) => (b.disabled = true));
    announce("Uploading");
    request.send(new FormData(form));
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.matches?.("form[data-upload]")) return;
    event.preventDefault();
    upload(event.target);
  });

  // The scripts are deferred: the page is parsed, and htmx has not begun.
  // A dialog that came with the page posts as a page, so htmx keeps off it.
  all("dialog.dialog[data-dialog]").forEach((d) => d.setAttribute("hx-ignore", ""));
  all(".toast").forEach(fade);
  showAll(false);
  dress();
})();
