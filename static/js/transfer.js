// Turns the two lists of checkboxes of an authorization dialog into listboxes
// between which names move. The checkboxes stay inside, hidden, and carry what
// the form posts: ticked means that the name stands on the authorized side.
(() => {
  const collator = new Intl.Collator();

  class Side {
    constructor(pane, transfer) {
      this.transfer = transfer;
      this.key = pane.dataset.side;
      this.list = pane.querySelector("[data-list]");
      this.count = pane.querySelector("[data-count]");
      this.every = pane.querySelector("[data-all]");
      this.filter = pane.querySelector("[data-filter]");
      this.empty = pane.querySelector("[data-empty]");
      this.anchor = null; // where a range of Shift begins
      this.list.setAttribute("role", "listbox");
      this.list.setAttribute("aria-multiselectable", "true");
      this.list.setAttribute("aria-orientation", "vertical");
      this.list.addEventListener("click", (event) => this.click(event));
      this.list.addEventListener("dblclick", (event) => this.doubleClick(event));
      this.list.addEventListener("keydown", (event) => this.press(event));
      this.every.addEventListener("change", () => this.selectAll(this.every.checked));
      this.filter.addEventListener("input", () => this.narrow());
      this.filter.addEventListener("keydown", (event) => {
        if (event.key === "Enter") event.preventDefault(); // it would send the form
        if (event.key === "ArrowDown") this.focus(this.shown[0]), event.preventDefault();
      });
      this.options.forEach((option) => this.dress(option));
    }

    get options() {
      return [...this.list.children];
    }
    get shown() {
      return this.options.filter((option) => !option.hidden);
    }
    get selected() {
      return this.shown.filter((option) => option.ariaSelected === "true");
    }

    dress(option) {
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.setAttribute("aria-label", option.dataset.name);
      option.tabIndex = -1;
      const box = option.querySelector("input");
      box.hidden = true;
    }

    select(option, on) {
      option.setAttribute("aria-selected", String(on));
    }

    selectAll(on) {
      this.shown.forEach((option) => this.select(option, on));
      this.transfer.sync();
    }

    selectRange(from, to) {
      const [a, b] = [this.shown.indexOf(from), this.shown.indexOf(to)].sort((x, y) => x - y);
      this.shown.forEach((option, i) => i >= a && i <= b && this.select(option, true));
    }

    narrow() {
      const words = this.filter.value.trim().toLocaleLowerCase();
      for (const option of this.options) {
        option.hidden = !option.dataset.name.toLocaleLowerCase().includes(words);
        if (option.hidden) this.select(option, false);
      }
      this.transfer.sync();
    }

    focus(option) {
      if (!option) return;
      this.current = option;
      this.rove();
      option.focus();
    }

    // One option of the list is in the tab order: the current one.
    rove() {
      const shown = this.shown;
      if (!shown.includes(this.current)) this.current = this.selected[0] ?? shown[0];
      for (const option of this.options) option.tabIndex = option === this.current ? 0 : -1;
    }

    click(event) {
      event.preventDefault(); // the label inside would tick the hidden checkbox
      const option = event.target.closest("li");
      if (!option) return;
      if (event.shiftKey && this.anchor) {
        this.selectRange(this.anchor, option);
      } else {
        this.select(option, option.ariaSelected !== "true");
        this.anchor = option;
      }
      this.focus(option);
      this.transfer.sync();
    }

    doubleClick(event) {
      const option = event.target.closest("li");
      if (!option) return;
      this.options.forEach((other) => this.select(other, other === option));
      this.transfer.move(this);
    }

    press(event) {
      const shown = this.shown;
      const option = event.target.closest("li");
      const at = shown.indexOf(option);
      if (at < 0) return;
      const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 }[event.key];
      if (next !== undefined) {
        const to = shown[Math.max(0, Math.min(next, shown.length - 1))];
        if (event.shiftKey) {
          this.anchor ??= option;
          this.selectRange(option, to);
        }
        this.focus(to);
      } else if (event.key === " ") {
        if (event.shiftKey && this.anchor) this.selectRange(this.anchor, option);
        else this.select(option, option.ariaSelected !== "true");
        this.anchor = option;
      } else if (event.key === "Enter") {
        if (!this.selected.length) this.select(option, true);
        this.transfer.move(this);
      } else if (event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey)) {
        const on = this.selected.length < shown.length;
        shown.forEach((other) => this.select(other, on));
      } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
        const letter = event.key.toLocaleLowerCase();
        const round = [...shown.slice(at + 1), ...shown.slice(0, at + 1)];
        this.focus(round.find((other) => other.dataset.name.toLocaleLowerCase().startsWith(letter)));
      } else {
        return;
      }
      event.preventDefault();
      this.transfer.sync();
    }
  }

  class Transfer {
    constructor(root) {
      this.form = root.closest("form");
      this.root = root;
      this.sides = Object.fromEntries([...root.querySelectorAll("[data-side]")].map((p) => [p.dataset.side, new Side(p, this)]));
      this.buttons = Object.fromEntries([...root.querySelectorAll("[data-move]")].map((b) => [b.dataset.move, b]));
      for (const [to, button] of Object.entries(this.buttons)) {
        button.addEventListener("click", () => this.move(this.other(to)));
      }
      this.changes = this.form.querySelector("[data-changes]");
      root.classList.add("ready");
      this.sync();
    }

    other(key) {
      return this.sides[key === "in" ? "out" : "in"];
    }

    // Moves what is selected in one side to the other, in the order of names,
    // and leaves the focus where the next move is likely.
    move(from) {
      const to = this.other(from.key);
      const moving = from.selected;
      if (!moving.length) return;
      const shown = from.shown;
      const rest = shown.filter((option) => !moving.includes(option));
      const after = shown.slice(shown.indexOf(moving.at(-1)) + 1).find((option) => rest.includes(option));
      for (const option of moving) {
        option.setAttribute("aria-selected", "false");
        option.querySelector("input").checked = to.key === "in";
        const place = to.options.find((other) => collator.compare(other.dataset.name, option.dataset.name) > 0);
        to.list.insertBefore(option, place ?? null);
      }
      from.anchor = null;
      to.narrow();
      from.current = after ?? rest.at(-1);
      this.sync();
      if (from.current) from.focus(from.current);
      else to.focus(moving[0]);
    }

    sync() {
      for (const side of Object.values(this.sides)) {
        const [chosen, shown, whole] = [side.selected.length, side.shown.length, side.options.length];
        side.count.textContent = chosen ? `${chosen} of ${shown}` : shown === whole ? `${whole}` : `${shown} of ${whole}`;
        side.every.checked = shown > 0 && chosen === shown;
        side.every.indeterminate = chosen > 0 && chosen < shown;
        side.every.disabled = shown === 0;
        side.empty.hidden = shown > 0;
        if (whole && !shown) side.empty.textContent = "Nothing fits the filter.";
        else side.empty.textContent = side.empty.dataset.text ??= side.empty.textContent;
        side.rove();
        this.buttons[side.key === "in" ? "out" : "in"].disabled = chosen === 0;
      }
      this.tell();
    }

    // Says what OK will change before it is pressed.
    tell() {
      const names = (side, was) => side.options.filter((o) => o.hasAttribute("data-was") === was).map((o) => o.dataset.name);
      const parts = [];
      const granted = names(this.sides.in, false);
      const revoked = names(this.sides.out, true);
      if (granted.length) parts.push(`authorize ${granted.join(", ")}`);
      if (revoked.length) parts.push(`revoke ${revoked.join(", ")}`);
      const text = parts.length ? `OK will ${parts.join(" and ")}.` : "Nothing will change.";
      if (this.changes.textContent !== text) this.changes.textContent = text;
    }
  }

  const begin = () => document.querySelectorAll("[data-transfer]:not(.ready)").forEach((root) => new Transfer(root));
  document.addEventListener("console:shown", begin);
  begin();
})();
