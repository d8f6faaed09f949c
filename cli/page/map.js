// SPDX-License-Identifier: LGPL-2.1-or-later
// The map: cells along the curve, drawn as pixels of an image that is shown larger; zoom and pan; the cell pointed at.

const map = {
	canvas: $("map"), layout: layOut(cells.count), image: document.createElement("canvas"),
	veil: document.createElement("canvas"), mode: "kind", scale: 1, x: 0, y: 0, pointed: -1,
};

function mapUnit() {
	const { width, height } = map.layout;
	return Math.min(map.canvas.width / width, map.canvas.height / height) * map.scale;
}

// Keep the map within the frame; in the middle where it is smaller.
function mapClamp() {
	const unit = mapUnit();
	for (const [axis, extent, room] of [["x", map.layout.width * unit, map.canvas.width],
		["y", map.layout.height * unit, map.canvas.height]])
		map[axis] = extent <= room ? (room - extent) / 2 : Math.min(0, Math.max(room - extent, map[axis]));
	map.canvas.classList.toggle("near", map.scale > 1);
}

function paintImage() {
	const { width, height, x, y } = map.layout, mode = MODES[map.mode];
	map.image.width = map.veil.width = width;
	map.image.height = map.veil.height = height;
	const context = map.image.getContext("2d"), pixels = context.createImageData(width, height);
	for (let cell = 0; cell < cells.count; cell++) {
		const colour = cellColour(mode, cell), at = 4 * (y[cell] * width + x[cell]);
		pixels.data[at] = colour[0];
		pixels.data[at + 1] = colour[1];
		pixels.data[at + 2] = colour[2];
		pixels.data[at + 3] = 255;
	}
	context.putImageData(pixels, 0, 0);
}

// What is not chosen stands back.
function paintVeil() {
	const { width, height, x, y } = map.layout, dark = document.documentElement.dataset.theme === "dark";
	const context = map.veil.getContext("2d"), pixels = context.createImageData(width, height), back = dark ? 16 : 255;
	for (let cell = 0; chosen.mask && cell < cells.count; cell++) {
		if (isCellChosen(cell))
			continue;
		const at = 4 * (y[cell] * width + x[cell]);
		pixels.data.set([back, back, back, 170], at);
	}
	context.putImageData(pixels, 0, 0);
}

function outline(context, cell, unit, colour, inset) {
	context.strokeStyle = colour;
	context.lineWidth = 2 * (window.devicePixelRatio || 1);
	const size = Math.max(unit, 6) - 2 * inset;
	context.strokeRect(map.x + map.layout.x[cell] * unit + inset, map.y + map.layout.y[cell] * unit + inset, size, size);
}

function drawGrid(context, unit) {
	if (unit < 14 * (window.devicePixelRatio || 1))
		return;
	context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--sunk");
	context.lineWidth = 1;
	context.beginPath();
	for (let column = 0; column <= map.layout.width; column++) {
		context.moveTo(map.x + column * unit, map.y);
		context.lineTo(map.x + column * unit, map.y + map.layout.height * unit);
	}
	for (let row = 0; row <= map.layout.height; row++) {
		context.moveTo(map.x, map.y + row * unit);
		context.lineTo(map.x + map.layout.width * unit, map.y + row * unit);
	}
	context.stroke();
}

function drawMap() {
	const context = map.canvas.getContext("2d"), unit = mapUnit();
	context.clearRect(0, 0, map.canvas.width, map.canvas.height);
	if (!cells.count)
		return;
	context.imageSmoothingEnabled = false;
	for (const picture of [map.image, map.veil])
		context.drawImage(picture, map.x, map.y, map.layout.width * unit, map.layout.height * unit);
	drawGrid(context, unit);
	for (const cell of new Set([chosen.cell, map.pointed])) {
		if (cell < 0)
			continue;
		outline(context, cell, unit, "#ffffff", 0);
		outline(context, cell, unit, "#000000", 2 * (window.devicePixelRatio || 1));
	}
}

function totalItem(text, column) {
	return make("li", { "data-bytes": String(sum(column)), "data-name": text }, `${text}, in all `, make("b", {}, sizeText(sum(column))));
}

function drawRamp(mode, list) {
	let blank = 0;
	for (let cell = 0; cell < cells.count; cell++)
		blank += mode.share(cell) === null ? known(cell) : 0;
	blank = map.mode === "changed" ? sum(cells.uncompared) : blank;
	list.append(rampItem(mode));
	if (blank)
		list.append(legendItem(BLANK, mode.blank, blank));
	if (map.mode === "changed")
		list.append(totalItem("changed", cells.changed));
}

function drawClasses(mode, list) {
	const bytes = mode.classes.map(() => 0);
	if (mode.ofRegion)
		for (let i = 0; i < regions.count; i++)
			bytes[mode.ofRegion(i)] += shown(i);
	else
		for (let cell = 0; cell < cells.count; cell++)
			bytes[mode.of(cell)] += known(cell);
	mode.classes.forEach(([text, colour], i) => {
		if (bytes[i])
			list.append(legendItem(colour, text, bytes[i]));
	});
	if (map.mode === "residence")
		list.append(totalItem("in memory", cells.rss), totalItem("in swap", cells.swap));
}

function drawLegend() {
	const mode = MODES[map.mode], list = $("map-legend");
	list.replaceChildren();
	(mode.classes ? drawClasses : drawRamp)(mode, list);
	if (mode.sample)
		list.append(make("li", { id: "sampled" }, mode.sample));
}

function setMode(name) {
	map.mode = name;
	map.canvas.dataset.mode = name;
	paintImage();
	drawLegend();
	drawMap();
}

function sizeMap() {
	const ratio = window.devicePixelRatio || 1, width = $("map-frame").clientWidth;
	const wanted = width * map.layout.height / map.layout.width;
	const height = Math.round(Math.max(220, Math.min(wanted, 0.74 * window.innerHeight, 720)));
	map.canvas.style.height = `${height}px`;
	map.canvas.width = Math.round(width * ratio);
	map.canvas.height = Math.round(height * ratio);
	mapClamp();
	drawMap();
}

function zoomMap(factor, atX, atY) {
	const before = map.scale, most = Math.max(1, map.layout.side / 4);
	map.scale = Math.min(most, Math.max(1, map.scale * factor));
	const by = map.scale / before, x = atX ?? map.canvas.width / 2, y = atY ?? map.canvas.height / 2;
	map.x = x - (x - map.x) * by;
	map.y = y - (y - map.y) * by;
	mapClamp();
	drawMap();
}

// About the cell that is pointed at or chosen, for who has no mouse there.
function zoomAtCell(factor) {
	const cell = map.pointed >= 0 ? map.pointed : chosen.cell, unit = mapUnit();
	if (cell < 0) {
		zoomMap(factor);
		return;
	}
	zoomMap(factor, map.x + (map.layout.x[cell] + 0.5) * unit, map.y + (map.layout.y[cell] + 0.5) * unit);
	follow(cell);
	drawMap();
}

function cellAtPoint(x, y) {
	const unit = mapUnit();
	return map.layout.cell(Math.floor((x - map.x) / unit), Math.floor((y - map.y) / unit));
}

function point(cell, spoken) {
	if (cell === map.pointed)
		return;
	map.pointed = cell;
	map.canvas.dataset.cell = String(cell);
	showDetails(spoken);
	drawMap();
}

// Bring a cell into the frame.
function follow(cell) {
	const unit = mapUnit();
	for (const [axis, place, room] of [["x", map.layout.x[cell] * unit, map.canvas.width],
		["y", map.layout.y[cell] * unit, map.canvas.height]]) {
		if (map[axis] + place < 0)
			map[axis] = -place;
		else if (map[axis] + place + unit > room)
			map[axis] = room - place - unit;
	}
	mapClamp();
}

// What was chosen elsewhere is to be seen.
function followChosen(from) {
	if (from !== "map" && chosen.cell >= 0)
		follow(chosen.cell);
}
