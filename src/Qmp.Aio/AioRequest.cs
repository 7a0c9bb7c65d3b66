namespace Qmp.Aio;

/// <summary>
/// One I/O operation at a time, reused for the next. Whoever submits owns it; the engine knows it until
/// <see cref="OnCompleted"/>. Submitting allocates nothing.
/// </summary>
public abstract class AioRequest
{
    /// <summary>
    /// <b>Loop</b>. The operation is over: bytes transferred (or 0 for those without), or a negative error number.
    /// Never called inside the call that submitted it. The request may be submitted again from here.
    /// </summary>
    protected internal abstract void OnCompleted(int result);
}
