// What the peers in JavaScript answer; see job.py.
const { timingSafeEqual } = require("node:crypto");

const WEBHOOK_KEY = Buffer.from("benchmark-key");
const CALLBACK_SECRET = Buffer.from("benchmark-secret");
const API_KEY = Buffer.from("benchmark-api-key");
const UNAUTHORIZED = { error: "unauthorized" };

function is(given, wanted) {
  const bytes = Buffer.from(given ?? "");
  return bytes.length === wanted.length && timingSafeEqual(bytes, wanted);
}

exports.function = (headers, body) =>
  is(headers["x-parse-webhook-key"], WEBHOOK_KEY) ? { success: "Hello World!" } : UNAUTHORIZED;

exports.beforeSave = (headers, body) => {
  if (!is(headers["x-parse-webhook-key"], WEBHOOK_KEY)) return UNAUTHORIZED;
  const { className, ...stored } = body.object;
  stored.comment = stored.comment.slice(0, 137) + "...";
  return { success: stored };
};

exports.callback = (secret, query) =>
  is(secret, CALLBACK_SECRET) ? { key: query.attr1, list: query.attr2 } : UNAUTHORIZED;

exports.endpoint = (headers, query) =>
  is(headers["x-skygear-api-key"], API_KEY)
    ? { key: query.key, value: parseInt(query.value, 10) }
    : UNAUTHORIZED;
