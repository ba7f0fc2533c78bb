import type { App, OnRequest, RequestRecord } from './app.ts';

/**
 * Tells `onRequest` of every answered request, with the bytes that were really handed over. Tests and the demo
 * count requests with it; it changes nothing in the answer.
 */
export function withRequestLog(app: App, onRequest: OnRequest): App {
  return {
    async fetch(request) {
      const response = await app.fetch(request);
      const url = new URL(request.url);
      const record: RequestRecord = {
        method: request.method,
        path: url.pathname + url.search,
        status: response.status,
        bytes: 0,
        headers: Object.fromEntries(request.headers),
      };
      if (response.body === null) {
        onRequest(record);
        return response;
      }
      const announced = Number(response.headers.get('content-length') ?? Number.NaN);
      const body = countBytes(response.body, announced, (bytes) => onRequest({ ...record, bytes }));
      return new Response(body, { status: response.status, headers: response.headers });
    },
  };
}

/**
 * Passes a body on; `tell` is called once with the bytes that went through: with the last announced byte, before
 * the client can have it, so that a client which counts its own requests never races with the log.
 */
function countBytes(
  body: ReadableStream<Uint8Array>,
  announced: number,
  tell: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let bytes = 0;
  let isTold = false;
  const end = () => {
    if (!isTold) tell(bytes);
    isTold = true;
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          bytes += value?.byteLength ?? 0;
          if (done || bytes === announced) end();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          end();
          controller.error(error);
        }
      },
      async cancel(reason) {
        end();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
