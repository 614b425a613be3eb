/** Why a request has no answer, as RFC 9457 tells it; `field` names the part of the request and `fix` what to send instead. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: 400 | 401 | 404 | 405 | 500 | 503;
  readonly field: string | null;
  readonly fix: string;

  constructor(status: Problem['status'], detail: string, fix: string, field: string | null = null) {
    super(detail);
    this.status = status;
    this.field = field;
    this.fix = fix;
  }

  get body(): object {
    const { status, message: detail, field, fix } = this;
    return { type: 'about:blank', title: TITLES[status], status, detail, ...(field === null ? {} : { field }), fix };
  }
}

const TITLES: Readonly<Record<Problem['status'], string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  404: 'Not found',
  405: 'Method not allowed',
  500: 'Internal error',
  503: 'Unavailable',
};
