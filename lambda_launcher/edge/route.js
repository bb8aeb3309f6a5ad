// The edge: lets whoever has a ticket through to the studio that the ticket names, keeps pages of other sites from the
// launcher, and marks what came this way.
//
// A CloudFront Function (runtime 2.0: no spread, destructuring, for-of, classes or optional chaining there), run for
// each request to /ws/* and /api/*. It keeps nothing, so it cannot know whether a ticket was used before, nor which
// painting a socket will ask for: the studio checks each ticket again (server/tickets.py) and refuses those.
//
// CloudFormation puts the three values right below in.

import cf from "cloudfront";
const crypto = require("crypto");

const KEY = "{{resolve:secretsmanager:${TicketKey}:SecretString}}";
const REGION = "${AWS::Region}";
const DOMAIN = "${Domain}"; // ours, if we have one

const LEEWAY = 5; // seconds by which two clocks may differ
const LONGEST_TICKET = 4096; // characters
const LONGEST_SHOWN = 100; // characters of what a stranger calls himself
const TICKET = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/; // 43: an HMAC-SHA256
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const ADDRESS = /^ec2(-(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){4}$/;
const EC2 = REGION === "us-east-1" ? ".compute-1.amazonaws.com" : "." + REGION + ".compute.amazonaws.com";
const AGAIN = "Start again from the page that gave it: it gives another.";

function handler(event) {
  const request = event.request;
  if (request.uri.startsWith("/api/")) {
    // Any page can have its visitors' browsers send us something, but they say whose page it is.
    const origin = request.headers.origin;
    if (origin && origin.value.toLowerCase() !== "https://" + request.headers.host.value.toLowerCase()) {
      return refusal(
        403,
        "origin_refused",
        "Pages of '" + origin.value.slice(0, LONGEST_SHOWN) + "' may not talk to this site.",
        "Open the site's own page."
      );
    }
    // Whatever a stranger wrote there is written over.
    request.headers["x-visualneurons-edge"] = { value: signature("edge:api", "hex") };
    return request;
  }
  const ticket = request.querystring.ticket;
  if (!ticket || !ticket.value) {
    return refusal(
      401,
      "ticket_missing",
      "This studio asks for a ticket, and none came.",
      "Start from the page that launches studios: it gives one."
    );
  }
  if (ticket.multiValue && ticket.multiValue.length > 1) {
    return invalid("there are several");
  }
  const read = opened(ticket.value, Date.now() / 1000);
  if (read.refusal) {
    return read.refusal;
  }
  const host = read.host;
  request.uri = request.uri.slice("/ws".length);
  request.headers["x-visualneurons-edge"] = { value: signature("edge:" + host, "hex") };
  // Port, protocol and patience are those of the origin that the template gives to /ws/*.
  cf.updateRequestOrigin({ domainName: host });
  return request;
}

// The host that a ticket is for, or why it lets nobody in.
function opened(ticket, now) {
  if (ticket.length > LONGEST_TICKET) {
    return { refusal: invalid("it is longer than " + LONGEST_TICKET + " characters") };
  }
  if (!TICKET.test(ticket)) {
    return { refusal: invalid("it is not a token (JWT) signed with HS256") };
  }
  const parts = ticket.split(".");
  if (!same(signature(parts[0] + "." + parts[1], "base64url"), parts[2])) {
    return { refusal: invalid("it was signed with another key") };
  }
  const header = decoded(parts[0]);
  const claims = decoded(parts[1]);
  // Whatever it says of itself, it was checked as HS256; one that says otherwise is not ours.
  if (!header || header.alg !== "HS256" || !claims) {
    return { refusal: invalid("it is not a token (JWT) signed with HS256") };
  }
  if (!isMoment(claims.exp)) {
    return { refusal: invalid("it does not say when it ends") };
  }
  const begins = [claims.iat, claims.nbf].filter((moment) => moment !== undefined && moment !== null);
  if (!begins.every(isMoment)) {
    return { refusal: invalid("its iat or nbf is not a moment") };
  }
  if (begins.some((moment) => moment > now + LEEWAY)) {
    return { refusal: invalid("it is not valid yet") };
  }
  if (claims.exp + LEEWAY <= now) {
    const late = Math.round(now - claims.exp);
    return { refusal: refusal(401, "ticket_expired", "The ticket ended " + late + " seconds ago.", AGAIN) };
  }
  const host = typeof claims.host === "string" ? claims.host.toLowerCase() : "";
  return isStudio(host) ? { host: host } : { refusal: invalid("it is for no studio of ours") };
}

// An EC2 machine of our region by its public name, or a name right under our domain.
function isStudio(host) {
  if (host.endsWith(EC2)) {
    return ADDRESS.test(host.slice(0, -EC2.length));
  }
  return DOMAIN !== "" && host.endsWith("." + DOMAIN) && LABEL.test(host.slice(0, -DOMAIN.length - 1));
}

function signature(text, encoding) {
  return crypto.createHmac("sha256", KEY).update(text).digest(encoding);
}

// In a time that does not tell how much of it is right.
function same(one, other) {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at++) {
    difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  }
  return difference === 0;
}

// The object in a part of a ticket, or null.
function decoded(part) {
  try {
    const value = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch (error) {
    return null;
  }
}

function isMoment(value) {
  return typeof value === "number" && Math.abs(value) < 1e15;
}

function invalid(why) {
  return refusal(401, "ticket_invalid", "The ticket cannot be used: " + why + ".", AGAIN);
}

// The envelope that every refusal has, everywhere.
function refusal(status, code, message, hint) {
  return {
    statusCode: status,
    statusDescription: status === 403 ? "Forbidden" : "Unauthorized",
    headers: {
      "content-type": { value: "application/json; charset=UTF-8" },
      "cache-control": { value: "no-store" }
    },
    body: {
      encoding: "text",
      data: JSON.stringify({ state: "error", data: { code: code, message: message, hint: hint } })
    }
  };
}
