// SPDX-License-Identifier: LGPL-2.1-or-later
// Debian's Chromium for tests/cli/browser.py: a command on each line of standard input, JSON; an answer on each line of
// standard output, {"value": ...} or {"error": ...}.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const browser = await chromium.launch({ executablePath: process.argv[2], args: ["--no-sandbox", "--disable-gpu"] });
let page, context, problems = [], requests = [];

// Console messages, errors, dialogs and everything that is asked for beside the page itself.
function listen() {
	page.on("console", (message) => problems.push(`${message.type()}: ${message.text()}`));
	page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
	page.on("dialog", (dialog) => { problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
	page.on("request", (request) => requests.push(request.url()));
}

async function canvasBox() {
	const canvas = page.locator("#map");
	await canvas.scrollIntoViewIfNeeded();
	return canvas.boundingBox();
}

const commands = {
	async open({ path, width = 1280, height = 900, dark = false, touch = false }) {
		await context?.close();
		context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light", hasTouch: touch });
		page = await context.newPage();
		problems = [];
		requests = [];
		listen();
		await page.goto(pathToFileURL(path).href);
		await page.waitForFunction(() => document.documentElement.dataset.ready === "true", null, { timeout: 30000 });
		return page.evaluate(() => Math.round(performance.now()));
	},
	problems: () => ({ problems, requests: requests.slice(1) }),
	evaluate: ({ script }) => page.evaluate(script),
	click: ({ selector }) => page.click(selector),
	fill: ({ selector, text }) => page.fill(selector, text),
	focus: ({ selector }) => page.focus(selector),
	press: ({ key }) => page.keyboard.press(key),
	media: ({ options }) => page.emulateMedia(options),
	shot: ({ path }) => page.screenshot({ path, fullPage: true }),
	// Where on the map the cell of an address is: looked for from within the page, then the mouse points there.
	async seek({ address }) {
		const box = await canvasBox();
		const found = await page.evaluate(([left, top, width, height, wanted]) => {
			const canvas = document.getElementById("map"), step = 6;
			for (let y = step; y < height; y += step) {
				for (let x = step; x < width; x += step) {
					canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: left + x, clientY: top + y, pointerId: 1 }));
					if (document.getElementById("cell-address")?.textContent === wanted)
						return [x, y];
				}
			}
			return null;
		}, [box.x, box.y, box.width, box.height, address]);
		await page.mouse.move(0, 0);
		if (found)
			await page.mouse.move(box.x + found[0], box.y + found[1]);
		return found;
	},
	async mouse({ x, y, wheel = 0 }) {
		const box = await canvasBox();
		await page.mouse.move(box.x + x, box.y + y);
		return wheel ? page.mouse.wheel(0, wheel) : page.mouse.click(box.x + x, box.y + y);
	},
	async tap({ x, y }) {
		const box = await canvasBox();
		return page.touchscreen.tap(box.x + x, box.y + y);
	},
	// Two fingers that move apart.
	async pinch() {
		const box = await canvasBox(), session = await context.newCDPSession(page);
		const middle = [box.x + box.width / 2, box.y + box.height / 2];
		const points = (apart) => [-apart, apart].map((by, id) => ({ x: middle[0] + by, y: middle[1], id }));
		await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: points(20) });
		for (let apart = 30; apart <= 100; apart += 10)
			await session.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: points(apart) });
		await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
	},
};

for await (const line of createInterface({ input: process.stdin })) {
	const { command, ...options } = JSON.parse(line);
	let answer;
	try {
		answer = { value: (await commands[command](options)) ?? null };
	} catch (error) {
		answer = { error: String(error.stack) };
	}
	process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser.close();
