"use strict";
(() => {
  const said = document.getElementById("said");
  const byHand = (code) => {
    const range = document.createRange();
    range.selectNodeContents(code);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  };
  const copy = async (code) => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      return true;
    } catch {
      return byHand(code);
    }
  };
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await copy(button.parentElement.querySelector("code"));
      const text = done ? "Copied" : "Press Ctrl-C";
      button.firstChild.data = said.textContent = text;
      setTimeout(() => { button.firstChild.data = "Copy"; said.textContent = ""; }, 2000);
    });
  }
})();
