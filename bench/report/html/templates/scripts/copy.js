// Copying: a command, or a table in a form that other programs read.
const cellOf = {
  markdown: (text) => text.replace(/[\\|`*_<>[\]~]/g, "\\$&").replace(/\s+/g, " "),
  csv: (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text),
};

function tableText(form, [head, ...rows]) {
  const cells = (row) => row.map((text) => cellOf[form](String(text ?? "")));
  if (form === "csv") return [head, ...rows].map((row) => cells(row).join(",")).join("\n") + "\n";
  const line = (row) => `| ${cells(row).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n") + "\n";
}

async function toClipboard(text, what, fallback) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied.`);
    return true;
  } catch { // no permission: leave it selected, so that a key press copies it
    if (fallback) getSelection().selectAllChildren(fallback);
    say(fallback ? `${what} selected; press the copy keys.` : "This browser does not allow copying.");
    return false;
  }
}

function told(button, copied) {
  const before = button.textContent;
  button.textContent = copied ? "copied" : "not copied";
  setTimeout(() => { button.textContent = before; }, 1500);
}

function copyButtons(rows) {
  const names = { markdown: "copy as Markdown", csv: "copy as CSV" };
  const buttons = Object.entries(names).map(([form, name]) => {
    const button = make("button", { type: "button", class: "quiet" }, name);
    button.addEventListener("click", async () => told(button, await toClipboard(tableText(form, rows()), "The table was")));
    return button;
  });
  return make("p", { class: "copies" }, ...buttons);
}

function copying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const code = one("code", button.parentElement);
    told(button, await toClipboard(code.textContent, "The command was", code));
  });
}
