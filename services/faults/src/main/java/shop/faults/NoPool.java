package shop.faults;

/** {@code pool-exhausted} in a service that has no pool: says so. */
class NoPool implements Fault {

	private final String service;

	NoPool(String service) {
		this.service = service;
	}

	@Override
	public String kind() {
		return "pool-exhausted";
	}

	@Override
	public boolean isOn() {
		return false;
	}

	@Override
	public void switchOn() {
		throw new FaultRefusedException(
				this.service + " has no connection pool to exhaust: orders and payments have one");
	}

	@Override
	public void switchOff() {
		switchOn();
	}

}
