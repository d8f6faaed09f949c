// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a cell is on the map: along a Hilbert curve, so that neighbours in memory are neighbours on the map.

function hilbertPoint(side, at) {
	let x = 0, y = 0;
	for (let step = 1; step < side; step *= 2) {
		const right = 1 & (at >> 1), up = 1 & (at ^ right);
		if (!up) {
			if (right) {
				x = step - 1 - x;
				y = step - 1 - y;
			}
			[x, y] = [y, x];
		}
		x += step * right;
		y += step * up;
		at >>= 2;
	}
	return [x, y];
}

// The squares of all cells, and the part of the square of the curve that they take: the upper half may be enough.
function layOut(count) {
	let side = 1;
	while (side * side < count)
		side *= 2;
	const x = new Uint16Array(count), y = new Uint16Array(count), at = new Int32Array(side * side).fill(-1);
	let width = 1, height = 1;
	// The first half of the curve is to be the upper one, for screens are wide.
	const flip = hilbertPoint(side, Math.max(0, side * side / 2 - 1))[1] >= side / 2;
	for (let cell = 0; cell < count; cell++) {
		const point = hilbertPoint(side, cell);
		[x[cell], y[cell]] = flip ? [point[1], point[0]] : point;
		at[y[cell] * side + x[cell]] = cell;
		width = Math.max(width, x[cell] + 1);
		height = Math.max(height, y[cell] + 1);
	}
	return { side, x, y, width, height, cell: (column, row) =>
		(column < 0 || row < 0 || column >= side || row >= side ? -1 : at[row * side + column]) };
}
