/* A server of event streams as a user of Node would write it, to measure
 * others by. GET /sub?id=a,b subscribes, POST /pub?id=a publishes. */
"use strict";
const http = require("node:http");

const KEPT = 1000; // events of each channel, for who asks with ?since=NUMBER

const channels = new Map();
let lastId = 0;

function channelOf(name) {
	if (!channels.has(name))
		channels.set(name, { members: new Set(), history: [] });
	return channels.get(name);
}

function subscribe(url, request, response) {
	const found = url.searchParams.get("id").split(",").map(channelOf);
	const since = url.searchParams.get("since");

	response.writeHead(200, {
		"Content-Type": "text/event-stream",
		"Cache-Control": "no-cache",
	});
	response.write(": welcome\n\n");
	for (const channel of found) {
		if (since !== null)
			for (const event of channel.history)
				if (event.id > Number(since))
					response.write(event.text);
		channel.members.add(response);
	}
	request.on("close", () => {
		for (const channel of found)
			channel.members.delete(response);
	});
}

function publish(url, request, response) {
	const channel = channelOf(url.searchParams.get("id"));
	let data = "";

	request.setEncoding("utf8");
	request.on("data", (part) => (data += part));
	request.on("end", () => {
		const id = ++lastId;
		const text = `id: ${id}\ndata: ${data}\n\n`;

		channel.history.push({ id, text });
		if (channel.history.length > KEPT)
			channel.history.shift();
		for (const member of channel.members)
			member.write(text);
		response.end("ok");
	});
}

http.createServer((request, response) => {
	const url = new URL(request.url, "http://localhost");

	if (request.method === "GET" && url.pathname === "/sub")
		subscribe(url, request, response);
	else if (request.method === "POST" && url.pathname === "/pub")
		publish(url, request, response);
	else
		response.writeHead(404).end();
}).listen(Number(process.argv[2]), "127.0.0.1", 4096);
