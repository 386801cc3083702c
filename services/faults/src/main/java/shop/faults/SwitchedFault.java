package shop.faults;

/** A fault that is on or off; switched on again while it is on, it stays as it is, and likewise off. */
abstract class SwitchedFault implements Fault {

	private final String kind;

	private volatile boolean on;

	SwitchedFault(String kind) {
		this.kind = kind;
	}

	@Override
	public final String kind() {
		return this.kind;
	}

	@Override
	public final boolean isOn() {
		return this.on;
	}

	@Override
	public final synchronized void switchOn() {
		if (!this.on) {
			begin();
			this.on = true;
		}
	}

	@Override
	public final synchronized void switchOff() {
		if (this.on) {
			this.on = false;
			end();
		}
	}

	/** For what has more to do than to look at {@link #isOn()} before each request. */
	void begin() {
	}

	void end() {
	}

}
