package shop.faults;

/** {@code stopped}: known here so that the list of faults is whole; a service that is stopped answers nothing. */
class Stopped implements Fault {

	@Override
	public String kind() {
		return "stopped";
	}

	@Override
	public boolean isOn() {
		return false;
	}

	@Override
	public void switchOn() {
		throw new FaultRefusedException("stopped is the end of the process: send it SIGTERM, and start it again to heal");
	}

	@Override
	public void switchOff() {
		switchOn();
	}

}
