// SPDX-License-Identifier: LGPL-2.1-or-later
// Mouse, touch and keys on the map.

const touches = new Map();
let dragged = 0;

function canvasPoint(event) {
	const box = map.canvas.getBoundingClientRect(), ratio = map.canvas.width / box.width;
	return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
}

const spread = (points) => Math.hypot(points[0][0] - points[1][0], points[0][1] - points[1][1]) || 1;

function moveOne(before, now) {
	dragged += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
	if (map.scale === 1)
		return;
	map.x += now[0] - before[0];
	map.y += now[1] - before[1];
	mapClamp();
	drawMap();
}

function onMove(event) {
	const now = canvasPoint(event), before = touches.get(event.pointerId);
	if (!before) {
		point(cellAtPoint(...now), false);
		return;
	}
	const all = [...touches.values()];
	if (all.length === 2) {
		const wide = spread(all);
		touches.set(event.pointerId, now);
		const after = [...touches.values()];
		zoomMap(spread(after) / wide, (after[0][0] + after[1][0]) / 2, (after[0][1] + after[1][1]) / 2);
		dragged = 99;
		return;
	}
	touches.set(event.pointerId, now);
	moveOne(before, now);
}

function onUp(event) {
	if (touches.delete(event.pointerId) && event.type === "pointerup" && dragged < 8) {
		const cell = cellAtPoint(...canvasPoint(event));
		if (cell >= 0)
			choose([cellRegion(cell)], { cell, from: "map" });
		else
			choose([]);
	}
}

function neighbour(cell, columns, rows) {
	for (let step = 1; step < map.layout.side; step++) {
		const next = map.layout.cell(map.layout.x[cell] + columns * step, map.layout.y[cell] + rows * step);
		if (next >= 0)
			return next;
	}
	return cell;
}

const MOVES = {
	ArrowLeft: (cell) => neighbour(cell, -1, 0), ArrowRight: (cell) => neighbour(cell, 1, 0),
	ArrowUp: (cell) => neighbour(cell, 0, -1), ArrowDown: (cell) => neighbour(cell, 0, 1),
	PageUp: (cell) => Math.max(0, cell - 1), PageDown: (cell) => Math.min(cells.count - 1, cell + 1),
	Home: () => 0, End: () => cells.count - 1,
};

function onKey(event) {
	if (event.ctrlKey || event.metaKey || event.altKey || !cells.count)
		return;
	const cell = map.pointed >= 0 ? map.pointed : Math.max(0, chosen.cell);
	if (MOVES[event.key]) {
		const next = map.pointed >= 0 ? MOVES[event.key](cell) : cell;
		follow(next);
		point(next, true);
	} else if (event.key === "Enter" || event.key === " ") {
		choose([cellRegion(cell)], { cell, from: "map" });
	} else if (event.key === "Escape") {
		choose([]);
	} else if (event.key === "+" || event.key === "=") {
		zoomAtCell(1.5);
	} else if (event.key === "-") {
		zoomAtCell(1 / 1.5);
	} else if (event.key === "0") {
		zoomMap(0);
	} else {
		return;
	}
	event.preventDefault();
}

function listenToMap() {
	const canvas = map.canvas;
	canvas.addEventListener("pointerdown", (event) => {
		dragged = 0;
		touches.set(event.pointerId, canvasPoint(event));
		canvas.setPointerCapture(event.pointerId);
	});
	canvas.addEventListener("pointermove", onMove);
	canvas.addEventListener("pointerup", onUp);
	canvas.addEventListener("pointercancel", onUp);
	canvas.addEventListener("pointerleave", () => point(-1, false));
	canvas.addEventListener("dblclick", (event) => zoomMap(2, ...canvasPoint(event)));
	// The page scrolls on until the map is what somebody works with.
	canvas.addEventListener("wheel", (event) => {
		if (document.activeElement !== canvas && !event.ctrlKey)
			return;
		event.preventDefault();
		zoomMap(Math.exp(-event.deltaY / 300), ...canvasPoint(event));
	}, { passive: false });
	canvas.addEventListener("keydown", onKey);
	canvas.addEventListener("blur", () => point(-1, false));
	$("zoom-in").addEventListener("click", () => zoomAtCell(1.6));
	$("zoom-out").addEventListener("click", () => zoomAtCell(1 / 1.6));
	$("zoom-reset").addEventListener("click", () => zoomMap(0));
}
