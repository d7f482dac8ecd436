/** A connection was refused because its address is not on the public internet. */
export class PrivateAddressError extends Error {
  override readonly name = "PrivateAddressError";
  readonly address: string;

  constructor(hostname: string, address: string) {
    super(hostname === address ? `${address} is a private address` : `${hostname} is ${address}`);
    this.address = address;
  }
}
