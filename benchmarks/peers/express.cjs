// Express 4 as its documentation sets it up: express.json(), a route for each scenario.
const express = require(process.env.EXPRESS);
const job = require("./job.cjs");

const app = express();
app.use(express.json());
app.post("/webhooks/functions/hello", (req, res) => res.json(job.function(req.headers, req.body)));
app.post("/webhooks/triggers/Review/beforeSave", (req, res) =>
  res.json(job.beforeSave(req.headers, req.body)));
app.get("/callback/:key/bench/:secret/", (req, res) =>
  res.json(job.callback(req.params.secret, req.query)));
app.get("/query", (req, res) => res.json(job.endpoint(req.headers, req.query)));
app.listen(Number(process.argv[2]), "127.0.0.1");
