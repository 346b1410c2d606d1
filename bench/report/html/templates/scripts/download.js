// Downloads of what a page carries: base64 in an element that nothing runs → a file. No network.

function carried(element) {
  const text = atob(element.textContent.trim());
  return new Blob([Uint8Array.from(text, (letter) => letter.charCodeAt(0))], { type: element.type });
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a browser may ask first where to put it
}

// Each `button[data-download]` saves the element that it names there, as the file of its `data-name`.
function downloads(within = document) {
  for (const button of within.querySelectorAll("button[data-download]")) {
    const element = document.getElementById(button.dataset.download);
    button.disabled = !element;
    button.addEventListener("click", () => save(carried(element), button.dataset.name));
  }
}
