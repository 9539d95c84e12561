// Starts the real Parse Server from environment variables.
//
// It is run in the folder that holds node_modules, which is not the folder of
// this file: hence createRequire on the working directory.
import { createRequire } from "node:module";
import { join } from "node:path";

// Read when the module is loaded; the option of the same name comes too late to
// keep it from making a folder of log files. Failures reach stderr anyway.
process.env.PARSE_SERVER_LOGS_FOLDER = "null";

const require = createRequire(join(process.cwd(), "package.json"));
const { ParseServer } = require("parse-server");

function need(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`the environment variable ${name} is missing`);
  }
  return value;
}

const port = Number(need("PORT"));

await ParseServer.startApp({
  appId: need("APP_ID"),
  masterKey: need("MASTER_KEY"),
  webhookKey: need("WEBHOOK_KEY"),
  databaseURI: need("DATABASE_URI"),
  host: "127.0.0.1",
  port,
  mountPath: "/parse",
  serverURL: `http://127.0.0.1:${port}/parse`,
  // The tests make up classes as they go, as a client in development does.
  allowClientClassCreation: true,
  // Cloud code in JavaScript, of which a webhook of the same name takes the place.
  cloud: process.env.CLOUD || undefined,
  allowCustomObjectId: process.env.CUSTOM_IDS === "yes",
  silent: true,
});
