// Places for the nodes of a graph: in ranks from left to right, few crossings, straight chains; a long one goes on in the next line,
// as text does. `edges` lead from lower to higher numbers. Gives for each node {x, y, line} and for each edge its points.

function ranksOf(count, edges) {
  const ranks = new Array(count).fill(0);
  for (const { from, to } of [...edges].sort((a, b) => a.to - b.to)) ranks[to] = Math.max(ranks[to], ranks[from] + 1);
  return ranks;
}

// An edge over several ranks passes through a place in each.
function withPassages(count, edges, ranks) {
  const items = ranks.map((rank) => ({ rank, before: [], after: [], thin: false }));
  const routes = edges.map(({ from, to }) => {
    const route = [from];
    for (let rank = ranks[from] + 1; rank < ranks[to]; rank += 1) {
      route.push(items.length);
      items.push({ rank, before: [], after: [], thin: true });
    }
    route.push(to);
    for (let i = 1; i < route.length; i += 1) {
      items[route[i]].before.push(route[i - 1]);
      items[route[i - 1]].after.push(route[i]);
    }
    return route;
  });
  return { items, routes };
}

const mean = (list) => list.reduce((total, value) => total + value, 0) / list.length;

// Moves the items of a rank towards `wish`, in their order, none nearer to the next than its room asks for.
function spread(rank, items, wish, room) {
  const blocks = [];  // runs of items that touch, each at its mean wish
  for (const id of rank) {
    let block = { ids: [id], offsets: [0], size: room(items[id]), at: wish(items[id]) };
    while (blocks.length && blocks.at(-1).at + blocks.at(-1).size > block.at) {
      const last = blocks.pop(), n = last.ids.length, m = block.ids.length;
      const at = (last.at * n + (block.at - last.size) * m) / (n + m);
      block = { ids: [...last.ids, ...block.ids], offsets: [...last.offsets, ...block.offsets.map((o) => o + last.size)], size: last.size + block.size, at };
    }
    blocks.push(block);
  }
  for (const block of blocks) block.ids.forEach((id, i) => (items[id].y = block.at + block.offsets[i]));
}

// How many ranks a line holds so that all lines make a page twice as wide as high, and the lines' tops and heights.
function linesOf(byRank, items, spaceX, spaceY) {
  const low = byRank.map((rank) => Math.min(...rank.map((id) => items[id].y))), high = byRank.map((rank) => Math.max(...rank.map((id) => items[id].y)));
  const linesWith = (length) => {
    const lines = [];
    let top = 0;
    for (let first = 0; first < byRank.length; first += length) {
      const least = Math.min(...low.slice(first, first + length)), height = Math.max(...high.slice(first, first + length)) - least + spaceY;
      lines.push({ top, least, height });
      top += height + spaceY * 0.6;
    }
    return { length, lines, height: top };
  };
  let choice = linesWith(Math.min(6, byRank.length));
  while (choice.length < byRank.length && choice.length * spaceX < 2 * choice.height) choice = linesWith(choice.length + 1);
  return choice;
}

function layoutOf(count, edges, spaceX, spaceY) {
  const ranks = ranksOf(count, edges);
  const { items, routes } = withPassages(count, edges, ranks);
  const byRank = [];
  items.forEach((item, id) => (byRank[item.rank] = byRank[item.rank] || []).push(id));
  const room = (item) => (item.thin ? spaceY * 0.3 : spaceY);
  for (const rank of byRank) {
    let y = 0;
    for (const id of rank) items[id].y = y, y += room(items[id]);
  }
  for (let sweep = 0; sweep < 12; sweep += 1) {
    const forward = sweep % 2 === 0;
    for (const rank of forward ? byRank : [...byRank].reverse()) {
      const wish = (item) => {
        const near = forward ? item.before : item.after;
        return near.length ? mean(near.map((id) => items[id].y)) : item.y;
      };
      if (sweep < 8) rank.sort((a, b) => wish(items[a]) - wish(items[b]));
      spread(rank, items, wish, room);
    }
  }
  const { length, lines } = linesOf(byRank, items, spaceX, spaceY);
  const place = (id) => {
    const line = Math.floor(items[id].rank / length);
    return { x: (items[id].rank % length) * spaceX, y: items[id].y - lines[line].least + lines[line].top, line, bottom: lines[line].top + lines[line].height };
  };
  return { places: ranks.map((_, id) => place(id)), routes: routes.map((route) => route.map(place)) };
}
