/** Requests answered, by operation and class of status: both from short closed lists. */
export class RequestCounts {
  readonly #counts = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  count(operation: string, status: number): void {
    this.#total++;
    const key = `${operation} ${Math.floor(status / 100)}xx`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  samples(): [labels: { operation: string; status: string }, value: number][] {
    return [...this.#counts].map(([key, value]) => {
      const [operation = '', status = ''] = key.split(' ');
      return [{ operation, status }, value];
    });
  }
}
