import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

const iterations = 4096;

/** The server's side of SCRAM-SHA-256 (RFC 7677) with a user of that password. */
export function startScram(clientFirst: string, passwordOf: (user: string) => string | undefined) {
  const bare = clientFirst.replace(/^n,,/, "");
  const fields = fieldsOf(bare);
  const user = (fields.get("n") ?? "").replaceAll("=2C", ",").replaceAll("=3D", "=");
  const salt = randomBytes(16);
  const serverFirst = `r=${fields.get("r")}${randomBytes(12).toString("base64")},s=${salt.toString("base64")},i=${iterations}`;
  return {
    user,
    serverFirst,
    /** Returns the server's last message, or undefined if the proof does not match the password. */
    finish(clientFinal: string): string | undefined {
      const password = passwordOf(user);
      if (password === undefined) return undefined;
      const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
      const clientKey = hmac(salted, "Client Key");
      const signed = `${bare},${serverFirst},${clientFinal.replace(/,p=.*$/, "")}`;
      const signature = hmac(createHash("sha256").update(clientKey).digest(), signed);
      const proof = clientKey.map((byte, i) => byte ^ signature[i]!);
      if (fieldsOf(clientFinal).get("p") !== Buffer.from(proof).toString("base64")) return undefined;
      return `v=${hmac(hmac(salted, "Server Key"), signed).toString("base64")}`;
    },
  };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function fieldsOf(message: string): Map<string, string> {
  return new Map(message.split(",").map((part) => [part.slice(0, 1), part.slice(2)]));
}
