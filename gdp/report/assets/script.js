/* a click on a column's head sorts the table by it, and another one the other way round */
document.addEventListener("click", e => {
  const head = e.target.closest("th");
  if (!head || !e.target.closest("button")) return;
  const table = head.closest("table");
  const column = [...head.parentNode.children].indexOf(head);

  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");

  const value = row => row.children[column].dataset.value ?? row.children[column].textContent;
  const rows = [...table.tBodies[0].rows].sort((a, b) => {
    const [p, q] = [value(a), value(b)];
    if (p === "" || q === "") return (p === "") - (q === "");
    const [m, n] = [parseFloat(p), parseFloat(q)];
    return (up ? 1 : -1) * (isNaN(m) || isNaN(n) ? p.localeCompare(q) : m - n);
  });
  table.tBodies[0].append(...rows);
});
