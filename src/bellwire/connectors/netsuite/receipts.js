/**
 * Tells Bellwire that goods came in: deploy it on Item Receipt.
 *
 * The secret that signs is the API secret custsecret_bellwire (Setup > Company > API Secrets).
 *
 * @NApiVersion 2.1
 * @NScriptType UserEventScript
 */
const ADDRESS = 'https://bellwire.example/hooks/purchasing';

define(['N/crypto', 'N/encode', 'N/https', 'N/log', 'N/runtime'], (crypto, encode, https, log, runtime) => {
  const afterSubmit = (context) => {
    const body = JSON.stringify({
      account: runtime.accountId,
      recordType: 'itemReceipt',
      id: String(context.newRecord.id),
      type: context.type,
      sentAt: new Date().toISOString(),
    });
    try {
      const key = crypto.createSecretKey({ secret: 'custsecret_bellwire', encoding: encode.Encoding.UTF_8 });
      const hmac = crypto.createHmac({ algorithm: crypto.HashAlg.SHA256, key });
      hmac.update({ input: body, inputEncoding: encode.Encoding.UTF_8 });
      const signature = hmac.digest({ outputEncoding: encode.Encoding.HEX });
      const headers = { 'Content-Type': 'application/json', 'X-Signature': `sha256=${signature}` };
      https.post({ url: ADDRESS, body, headers });
    } catch (error) {
      // The receipt stands all the same: Bellwire finds it when it next looks by itself.
      log.error({ title: 'Bellwire was not told', details: error });
    }
  };
  return { afterSubmit };
});
