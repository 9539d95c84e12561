// node:http with nothing on top: routes by comparing paths.
const http = require("node:http");
const querystring = require("node:querystring");
const job = require("./job.cjs");

function answer(path, query, headers, text) {
  if (path === "/webhooks/functions/hello") return job.function(headers, JSON.parse(text));
  if (path === "/webhooks/triggers/Review/beforeSave") return job.beforeSave(headers, JSON.parse(text));
  if (path === "/query") return job.endpoint(headers, querystring.parse(query));
  return job.callback(path.split("/")[4], querystring.parse(query));
}

http
  .createServer((req, res) => {
    const chunks = [];
    req.on("data", (chunk) => chunks.push(chunk));
    req.on("end", () => {
      const [path, query] = req.url.split("?");
      const body = JSON.stringify(answer(path, query, req.headers, Buffer.concat(chunks).toString()));
      res.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
      res.end(body);
    });
  })
  .listen(Number(process.argv[2]), "127.0.0.1");
