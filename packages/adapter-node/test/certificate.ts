import { generate } from "selfsigned";

/** A key and its certificate, as options of Node's TLS servers. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** A certificate for these names, made for one run of the tests. */
export async function makeCertificate(names: readonly [string, ...string[]]): Promise<Certificate> {
  const { private: key, cert } = await generate([{ name: "commonName", value: names[0] }], {
    algorithm: "sha256",
    keyType: "ec",
    extensions: [{ name: "subjectAltName", altNames: names.map((value) => ({ type: 2, value })) }],
  });
  return { key, cert };
}
